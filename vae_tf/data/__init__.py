"""Data for training: a name, a path or arrays in, reproducible `tf.data` pipelines out."""

from vae_tf.data.dataset import Data, head
from vae_tf.data.from_arrays import from_arrays
from vae_tf.data.loading import load, names

__all__ = ["Data", "from_arrays", "head", "load", "names"]
