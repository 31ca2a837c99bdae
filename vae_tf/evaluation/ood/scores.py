"""Out-of-distribution scores of examples under a model."""

import dataclasses
import math
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.evaluation.batching import Progress, as_batch_size, batches, latents_at_once
from vae_tf.evaluation.log_prob.importance_weighted import importance_weighted_bound
from vae_tf.evaluation.ood.complexity import complexity
from vae_tf.evaluation.ood.detection import Detection, detection
from vae_tf.models.vae import VAE
from vae_tf.training.data_checks import checked
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import Seed, as_seed, fold_in

# One number a use and a model, so that no two share their draws.
_LOG_PROB, _ELBO, _BACKGROUND = range(3)


@dataclasses.dataclass(frozen=True)
class OutOfDistribution:
    """How well scores of a model tell its data (in-distribution, the positive class) from others.

    Attributes:
        detections: dict. Name of a score -> `Detection`, with the scores for a histogram:
            "log_prob", importance-weighted log p(x), nats;
            "elbo", its lower bound, nats;
            "likelihood_ratio", log p(x) - log p_background(x), nats; only with a background model;
            "input_complexity", log2 p(x) + compressed size, bits.
        examples_in: int. In-distribution examples.
        examples_out: int. Others.
        num_samples: int. K of log p(x).
        compressor: str. Of the input complexity.
    """

    detections: dict[str, Detection]
    examples_in: int
    examples_out: int
    num_samples: int
    compressor: str

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON values, without those of single examples."""
        kept = ("auroc", "auroc_error", "auprc", "fpr_at_95_tpr")
        figures = {
            name: {key: getattr(found, key) for key in kept}
            for name, found in self.detections.items()
        }
        rest = ("examples_in", "examples_out", "num_samples", "compressor")
        return {
            "positive_class": "in-distribution",
            "detections": figures,
            **{key: getattr(self, key) for key in rest},
        }


def out_of_distribution(
    vae: VAE,
    x_in: Any,
    x_out: Any,
    background: VAE | None = None,
    *,
    num_samples: int = 100,
    batch_size: int | None = None,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> OutOfDistribution:
    """Scores held-out data of the model's own kind and other data, and says how far they come apart.

    A high score is to mean in-distribution. Plain likelihood is known to fail at that: models of
    Fashion-MNIST give MNIST a higher density than their own test set, models of CIFAR-10 SVHN
    (Nalisnick et al., 2019, "Do Deep Generative Models Know What They Don't Know?"), because simple
    images have high densities under any of them. An AUROC far below 0.5 is that effect and no defect.
    Two corrections, neither of which is right for all data:

    - likelihood ratio (Ren et al., 2019): log p(x) - log p_b(x), where the background model p_b was
      trained on perturbed data and knows only what is simple; see `train_background`;
    - input complexity (Serrà et al., 2020): log2 p(x) + L(x), the negative of their score S, where
      L(x) is the size in bits that a general compressor needs; see `vae_tf.evaluation.ood.complexity`.
      It is a ratio of likelihoods too, for p(x) that is a probability of the 8-bit values.

    Args:
        vae: The model.
        x_in: `[N, *event]`, of the kind the model was trained on, but not among its training data.
        x_out: `[M, *event]`, of another kind. M = N makes the average precision easy to read.
        background: `VAE` of the same events, or None to leave the likelihood ratio out.
        num_samples: int. K of the importance-weighted log p(x). Defaults to 100.
        batch_size: int. Examples at once. Defaults to 100 for log p(x).
        seed: int, int tensor of shape [2], or None for fresh draws. Defaults to 0.
        progress: Called with what is computed, how many examples are done, and how many there are.

    Returns:
        `OutOfDistribution`.

    Raises:
        InputError: for a set that is empty, has a single example, another shape than the model's
            events or values outside the likelihood's support; a background model of other events;
            scores that are not finite.
    """
    if background is not None and background.event_shape != vae.event_shape:
        raise InputError(
            f"The background model is for events of shape {background.event_shape} and the model for "
            f"{vae.event_shape}; train one with train_background."
        )
    sets = {"x_in": _examples(vae, x_in, "x_in"), "x_out": _examples(vae, x_out, "x_out")}
    scores: dict[str, list[np.ndarray]] = {}
    for number, (what, x) in enumerate(sets.items()):
        follow = None if progress is None else _naming(progress, what)
        key = fold_in(as_seed(seed), number)
        log_prob = partial(
            importance_weighted_bound,
            x=x,
            num_samples=num_samples,
            batch_size=batch_size,
            progress=follow,
        )
        found = {
            "log_prob": log_prob(vae, seed=fold_in(key, _LOG_PROB)).values,
            "elbo": _elbo(vae, x, fold_in(key, _ELBO), batch_size),
        }
        if background is not None:
            simple = log_prob(background, seed=fold_in(key, _BACKGROUND)).values
            found["likelihood_ratio"] = found["log_prob"] - simple
        for name, values in found.items():
            scores.setdefault(name, []).append(_finite(values, name, what))
    # Of both sets at once: they are to be written with the same levels.
    sizes = complexity(np.concatenate(list(sets.values())))
    bits = np.split(sizes.bits, [len(sets["x_in"])])
    scores["input_complexity"] = [
        log_prob / math.log(2) + size
        for log_prob, size in zip(scores["log_prob"], bits, strict=True)
    ]
    return OutOfDistribution(
        detections={name: detection(*found) for name, found in scores.items()},
        examples_in=len(sets["x_in"]),
        examples_out=len(sets["x_out"]),
        num_samples=num_samples,
        compressor=sizes.compressor,
    )


def _examples(vae: VAE, x: Any, what: str) -> np.ndarray:
    (x,) = checked((np.asarray(x, np.float32),), vae.likelihood, what)
    if len(x) < 2:
        raise InputError(f"{what} has one example, expected at least two; give more of them.")
    return x


def _elbo(vae: VAE, x: np.ndarray, seed: tf.Tensor, batch_size: int | None) -> np.ndarray:
    size = as_batch_size(batch_size, len(x), latents_at_once(vae))
    parts = [
        vae.elbo(batch, seed=fold_in(seed, number)).elbo.numpy()[:count]
        for number, batch, count in batches(x, size)
    ]
    return np.concatenate(parts).astype(np.float64)


def _naming(progress: Progress, what: str) -> Progress:
    """`progress`, with the name of the set after what is computed."""
    return lambda computed, done, total: progress(f"{computed} of {what}", done, total)


def _finite(values: np.ndarray, name: str, what: str) -> np.ndarray:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InputError(
            f"The score {name} is not finite for {bad.sum()} of {len(values)} examples of {what}, the "
            f"first in row {bad.argmax()}; look at those examples and at the model's training."
        )
    return values
