"""Models that a variational auto-encoder is compared with."""

from vae_tf.utils.backend import require_tensorflow

require_tensorflow()

from vae_tf.baselines.kl_only import KLOnly
from vae_tf.baselines.three_panels import Panel, gap_shares, three_panels

__all__ = ["KLOnly", "Panel", "gap_shares", "three_panels"]
