"""`python -m vae_tf_serving --model_base_path=/FOLDER ...`."""

import sys

from vae_tf_serving.app import main

sys.exit(main(sys.argv[1:]))
