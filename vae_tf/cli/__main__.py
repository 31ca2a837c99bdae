"""`python -m vae_tf.cli`."""

from vae_tf.cli.app import main

main()
