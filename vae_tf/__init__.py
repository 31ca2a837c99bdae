"""Variational auto-encoders for Keras 3 and TensorFlow Probability. The public names, loaded on use."""

from vae_tf.utils.former_names import find_former_modules
from vae_tf.utils.lazy_package import lazy_package
from vae_tf.utils.registration import register_lazily

# `__init__.pyi` lists the names.
__getattr__, __dir__, __all__ = lazy_package(__name__, __file__)
find_former_modules()
register_lazily()
