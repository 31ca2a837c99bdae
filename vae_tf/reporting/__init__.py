"""A run told to others: a page of HTML with everything in it, and a model card."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.reporting.report import report

__all__ = ["report"]
