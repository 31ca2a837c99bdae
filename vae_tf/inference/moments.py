"""Mean and standard deviation of the posterior of each latent."""

from typing import Any, NamedTuple

import tensorflow as tf

from vae_tf.inference.batch import Batch
from vae_tf.inference.choices import DRAWS
from vae_tf.inference.rows import by_row
from vae_tf.inference.trace import Trace
from vae_tf.inference.traceable import Traceable


class Moments(NamedTuple):
    """Moments of q(z|x) of one latent."""

    mean: tf.Tensor  # [B, *event]
    stddev: tf.Tensor  # [B, *event]


def moments(model: Traceable, batch: Batch, seed: tf.Tensor) -> dict[str, Moments]:
    """The moments of each latent: exact where TFP has them, else of 256 draws with this seed.

    Draws are also taken of a latent whose posterior depends on another latent. Each row has the same
    draws, so the moments of a row do not depend on its batch.

    Args:
        model: The model.
        batch: B examples.
        seed: int32 tensor of shape [2].
    """
    trace = model.infer(batch, seed=seed, likelihood=False)
    exact: dict[str, Moments] = {}
    for name, latent in trace.latents.items():
        if latent.q is None or len(latent.q.batch_shape) != 1:
            continue
        try:
            exact[name] = Moments(latent.q.mean(), latent.q.stddev())
        except NotImplementedError:
            continue
    others = {name: z for name, z in trace.z.items() if name not in exact}
    drawn = _of_draws(model, batch, seed, others) if others else {}
    return {name: exact[name] if name in exact else drawn[name] for name in trace.latents}


def _of_draws(
    model: Traceable, batch: Batch, seed: tf.Tensor, latents: dict[str, tf.Tensor]
) -> dict[str, Moments]:
    def of_row(row: dict[str, Any]) -> dict[str, Moments]:
        trace = model.infer(Batch(**row), DRAWS, seed=seed, likelihood=False)
        return {name: _mean_and_stddev(trace, name) for name in latents}

    specs = {name: tf.TensorSpec(z.shape[2:], z.dtype) for name, z in latents.items()}
    return by_row(
        of_row, batch._asdict(), {name: Moments(spec, spec) for name, spec in specs.items()}
    )


def _mean_and_stddev(trace: Trace, name: str) -> Moments:
    z = trace.z[name]  # [S, 1, *event]
    mean = trace.mean(z)
    return Moments(mean[0], tf.sqrt(trace.mean(tf.square(z - mean)))[0])
