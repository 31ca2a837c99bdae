"""The command line: a thin shell over the Python API. Imports TensorFlow only inside a command."""

from vae_tf.cli.app import main

__all__ = ["main"]
