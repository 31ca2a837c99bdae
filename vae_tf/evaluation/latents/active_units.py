"""Active units: latent dimensions whose posterior mean varies with x."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_tf.evaluation.batching import (
    as_batch_size,
    as_examples,
    latents_at_once,
    posterior_moments,
)
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.utils.errors import InputError


@dataclass(frozen=True, eq=False)
class ActiveUnits:
    """The variance over x of each latent dimension's posterior mean.

    Attributes:
        variances: float64 [D]. Var_x E_q(z|x) z_d.
        threshold: float. Above it a dimension is active.
    """

    variances: np.ndarray
    threshold: float

    @property
    def mask(self) -> np.ndarray:
        """Which are active, bool `[D]`."""
        return self.variances > self.threshold

    @property
    def count(self) -> int:
        """How many are active."""
        return int(self.mask.sum())

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "count": self.count,
            "latent_dim": len(self.variances),
            "threshold": self.threshold,
            "variances": self.variances.tolist(),
        }


def active_units(
    vae: LatentVariableModel, x: Any, threshold: float = 0.01, *, batch_size: int | None = None
) -> ActiveUnits:
    """Counts the active latent dimensions: Burda et al. (2016), section 5.2.

        A_d = Var_x E_q(z|x) z_d > 0.01

    Args:
        vae: The model.
        x: `[N, *event]`, N at least 2, or a dataset; see `as_examples`.
        threshold: float. At least 0. Defaults to 0.01, as in the paper.
        batch_size: int. Examples at once. Defaults to what 16 MiB hold.

    Raises:
        InputError: for fewer than 2 examples, wrong ones, or a negative threshold.
    """
    if not threshold >= 0:
        raise InputError(f"threshold is a variance of at least 0; got {threshold!r}.")
    examples = as_examples(vae, x, least=2)
    size = as_batch_size(batch_size, len(examples), latents_at_once(vae))
    means = [mean for mean, _ in posterior_moments(vae, examples, size)]
    variances = np.concatenate(means).astype(np.float64).var(axis=0, ddof=1)
    return ActiveUnits(variances, float(threshold))
