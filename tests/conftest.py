import functools
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported anywhere

import pytest


@pytest.fixture(autouse=True)
def _keras_defaults():
    """No test leaves a dtype policy or a floatx behind for the next."""
    yield
    import sys

    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def without_xla():
    """Compiling takes longer than small trainings; tests/end_to_end trains as users do."""
    import vae_tf

    with pytest.MonkeyPatch.context() as patch:
        compile_quickly = functools.partialmethod(vae_tf.VAE.compile, jit_compile=False)
        patch.setattr(vae_tf.VAE, "compile", compile_quickly)
        yield
