"""Comparison of a SavedModel, loaded afresh, with the model."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf.inference.elbo import densities, elbo_terms
from vae_tf.saved_models.exportable import Exportable
from vae_tf.saved_models.signatures import example_inputs
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import as_seed, fold_in

_ROWS = 3
# Of the largest value of an output: float32 in another order of operations, and half precision.
_TOLERANCE, _HALF_TOLERANCE = 1e-4, 2e-2


def compare(vae: Exportable, path: Path, score_samples: int) -> None:
    """Loads the SavedModel and compares each signature with the model, and rows with batches.

    Args:
        vae: The model that was exported.
        path: The version directory.
        score_samples: int. K of `score`.

    Raises:
        InputError: if an output differs from the model's, or a row from the same row in a batch.
    """
    signatures = tf.saved_model.load(str(path)).signatures
    inputs = example_inputs(vae, _ROWS)
    half = vae.dtype_policy.compute_dtype != "float32"
    for name, expected in _expected(vae, inputs, score_samples).items():
        together = _call(signatures[name], inputs[name])
        rows = [
            _call(
                signatures[name], {key: value[row : row + 1] for key, value in inputs[name].items()}
            )
            for row in range(_ROWS)
        ]
        for output, value in expected.items():
            alone = np.concatenate([row[output] for row in rows])
            _check(name, output, together[output], value, "the model", half)
            _check(name, output, together[output], alone, "the same rows one by one", half)


def _expected(
    vae: Exportable, inputs: dict[str, dict[str, np.ndarray]], score_samples: int
) -> dict[str, dict[str, Any]]:
    x, z = inputs["encode"]["x"], inputs["decode"]["z"]
    q_z_given_x = vae.encode(x)
    draws = [vae.sample(1, seed=row, return_latents=True) for row in range(_ROWS)]
    scores = [_score(vae, x[row : row + 1], row, score_samples) for row in range(_ROWS)]
    reconstructed = {"x": vae.reconstruct(x)}
    return {
        "encode": {"mean": q_z_given_x.mean(), "stddev": q_z_given_x.stddev()},
        "decode": {"x": vae.likelihood.point_estimate(vae.decode(z))},
        "sample": {
            "x": tf.concat([x for x, _ in draws], axis=0),
            "z": tf.concat([z for _, z in draws], axis=0),
        },
        "reconstruct": reconstructed,
        "score": {
            "log_prob": tf.concat([log_prob for log_prob, _ in scores], axis=0),
            "elbo": tf.concat([elbo for _, elbo in scores], axis=0),
        },
        "serving_default": reconstructed,
    }


def _score(vae: Exportable, x: np.ndarray, seed: int, samples: int) -> tuple[tf.Tensor, tf.Tensor]:
    d = densities(vae, tf.constant(x), samples=samples, seed=fold_in(as_seed(seed), 0))
    return vae.log_prob(x, samples, seed=seed), elbo_terms(d).elbo


def _call(function: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def _check(
    signature: str, output: str, served: np.ndarray, expected: Any, what: str, half: bool
) -> None:
    expected = np.asarray(expected, np.float32)
    tolerance = (_HALF_TOLERANCE if half else _TOLERANCE) * max(1.0, float(np.abs(expected).max()))
    if served.shape != expected.shape or not np.allclose(served, expected, rtol=0, atol=tolerance):
        far = (
            f"shapes {served.shape} and {expected.shape}"
            if served.shape != expected.shape
            else f"up to {np.abs(served - expected).max():.3g}"
        )
        raise InputError(
            f"The model was not exported: the output {output!r} of the signature {signature!r} differs "
            f"from {what} ({far}); look for a layer that draws by itself, or depends on its batch."
        )
