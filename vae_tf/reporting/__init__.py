"""The report of a run: a page of HTML and a model card."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.reporting.report import report

__all__ = ["report"]
