"""The figures of a run on its test split."""

import dataclasses
import os
from typing import Any

import numpy as np

from vae_tf.data import Data
from vae_tf.errors import InputError
from vae_tf.runs.run import Run
from vae_tf.seeds import as_seed, fold_in
from vae_tf.vae import VAE


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Figures of a model on a test split: nats per example, means over the split.

    Attributes:
        dataset: str. Its name.
        binarize: str or None. How it was binarised: figures under two binarisations do not compare.
        likelihood: str. Class of p(x|z): nor do figures of a probability and of a density.
        examples: int. Number of test examples.
        epoch: int. Epochs the model was trained for.
        elbo: float. log_likelihood - kl.
        log_likelihood: float. E_q log p(x|z).
        kl: float. KL(q(z|x) || p(z)).
        log_prob: float or None. Importance-weighted estimate of log p(x).
        samples: int. Its number K of samples an example; 0 without it.
    """

    dataset: str
    binarize: str | None
    likelihood: str
    examples: int
    epoch: int
    elbo: float
    log_likelihood: float
    kl: float
    log_prob: float | None
    samples: int

    def __str__(self) -> str:
        what = f"{self.dataset}, {self.binarize or 'no'} binarisation, {self.likelihood} likelihood"
        lines = [
            f"{what}: {self.examples} test examples, after epoch {self.epoch}, nats per example",
            f"  elbo            {self.elbo:10.3f}",
            f"  log_likelihood  {self.log_likelihood:10.3f}",
            f"  kl              {self.kl:10.3f}",
        ]
        if self.log_prob is not None:
            lines.append(
                f"  log p(x)        {self.log_prob:10.3f}  (importance-weighted, K={self.samples})"
            )
        return "\n".join(lines)


def evaluate(
    run: Run, samples: int = 100, dataset: str | os.PathLike[str] | None = None
) -> Evaluation:
    """Evaluates the model of a run on a test split; the same figures at each call.

    Args:
        run: The run.
        samples: int. K of the importance-weighted log p(x); 0 leaves it out. Defaults to 100.
        dataset: Name or path of other data. Defaults to the run's own.

    Raises:
        InputError: if the data do not fit the model, or `samples` is below 0.
    """
    if samples < 0:
        raise InputError(f"samples is {samples}, expected at least 0, which leaves log p(x) out.")
    data, vae = run.data(dataset), run.model()
    figures = vae.evaluate(data.test, return_dict=True, verbose=0)
    return Evaluation(
        dataset=data.name,
        binarize=data.binarize,
        likelihood=type(vae.likelihood).__name__,
        examples=data.num_test,
        epoch=run.epoch,
        elbo=float(figures["elbo"]),
        log_likelihood=float(figures["log_likelihood"]),
        kl=float(figures["kl"]),
        log_prob=_mean_log_prob(vae, data, samples) if samples else None,
        samples=samples,
    )


def _mean_log_prob(vae: VAE, data: Data, samples: int) -> float:
    parts: list[np.ndarray] = []
    for number, element in enumerate(data.test):
        x: Any = element[0] if isinstance(element, tuple) else element
        seed = fold_in(as_seed(data.seed), number)
        parts.append(vae.log_prob(x, samples, seed=seed).numpy())
    return float(np.concatenate(parts).mean())
