"""Training runs: a configuration in, a folder with the model and everything about it out."""

from vae_tf.utils.lazy_package import lazy_package

# `__init__.pyi` lists the names. Configurations and finished runs are read without TensorFlow.
__getattr__, __dir__, __all__ = lazy_package(
    __name__, __file__, former={"Evaluation": "vae_tf.runs.RunEvaluation"}
)
