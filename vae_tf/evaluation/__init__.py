"""Evaluation of a model: estimates of log p(x) and figures of its latent dimensions, in nats."""

from vae_tf.utils.lazy_package import lazy_package

# `__init__.pyi` lists the names.
__getattr__, __dir__, __all__ = lazy_package(__name__, __file__)
