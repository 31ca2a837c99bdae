"""Encoders and decoders: functional Keras models of stock Keras layers."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.networks.conv import conv_decoder, conv_encoder
from vae_tf.networks.conv_deep import conv_deep_decoder, conv_deep_encoder
from vae_tf.networks.mlp import mlp_decoder, mlp_encoder

__all__ = [
    "conv_decoder",
    "conv_deep_decoder",
    "conv_deep_encoder",
    "conv_encoder",
    "mlp_decoder",
    "mlp_encoder",
]
