"""Latents drawn and scored: the trace that every objective and every estimator reads."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.inference.batch import Batch, as_batch
from vae_tf.inference.choices import draw_p, draw_q, enumerated, given
from vae_tf.inference.elbo import ElboTerms, elbo_terms, latent_kls
from vae_tf.inference.trace import Choice, Choose, Latent, Trace
from vae_tf.inference.traceable import LatentNode, Traceable
from vae_tf.utils.former_names import former_names

__getattr__ = former_names(__name__, {"LatentVariableModel": "vae_tf.inference.Traceable"})

__all__ = [
    "Batch",
    "Choice",
    "Choose",
    "ElboTerms",
    "Latent",
    "LatentNode",
    "Trace",
    "Traceable",
    "as_batch",
    "draw_p",
    "draw_q",
    "elbo_terms",
    "enumerated",
    "given",
    "latent_kls",
]
