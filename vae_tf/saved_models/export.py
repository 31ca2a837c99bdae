"""A trained VAE as a SavedModel that needs nothing of this package."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import tensorflow as tf

from vae_tf.saved_models.comparison import compare
from vae_tf.saved_models.description import describe, write_description
from vae_tf.saved_models.exportable import Exportable
from vae_tf.saved_models.graph_check import check_graph
from vae_tf.saved_models.half_precision import HalfPrecision
from vae_tf.saved_models.signatures import SignatureTable, concrete_functions
from vae_tf.saved_models.versions import version_directory
from vae_tf.saved_models.warm_up_requests import write_warm_up_requests
from vae_tf.utils.atomic import replacing
from vae_tf.utils.checks import as_count


def export(
    vae: Exportable,
    path: str | os.PathLike[str],
    score_samples: int = 100,
    precision: str = "float32",
    training: dict[str, Any] | None = None,
) -> Path:
    """Writes the SavedModel of `vae`, for TensorFlow Serving or `tf.saved_model.load`.

    | signature | inputs | outputs |
    |---|---|---|
    | `encode` | `x` [B, *event] | `mean` [B, D], `stddev` [B, D] of q(z|x) |
    | `decode` | `z` [B, D] | `x` [B, *event], the mean of p(x|z) |
    | `sample` | `seed` int64 [B] | `z` [B, D] ~ p(z), `x` [B, *event] |
    | `reconstruct` | `x` | `x` at the posterior mean |
    | `score` | `x`, `seed` int64 [B] | `log_prob` [B], `elbo` [B], nats |
    | `serving_default` | = `reconstruct` | |

    All numbers but the seeds are float32, whatever precision the model trains in. Every signature
    is row-wise: row i of an output depends on row i of the inputs alone. Randomness comes from the
    seeds alone: row i of `sample` is `vae.sample(1, seed=seed[i])`, and row i of `log_prob` is
    `vae.log_prob(x[i:i+1], score_samples, seed=seed[i])`, up to rounding.

    `assets.extra/` holds warm-up requests for every signature, `vae_tf.json` and `model_card.md`.
    Before it appears, the SavedModel is loaded and compared with the model.

    Args:
        vae: The model.
        path: The version directory to make ("models/digits/3"), or the model's ("models/digits"),
            which gets the next version. The version appears whole or not at all.
        score_samples: int. K, importance samples an example of `score`. Defaults to 100.
        precision: str. "float32", or "bfloat16" or "float16" for weights of half the size, which
            are used in float32. Defaults to "float32".
        training: JSON values about the training, such as `Run.summary()`, for `vae_tf.json`.

    Returns:
        The version directory.

    Raises:
        InputError: if the version exists, the graph calls Python or draws from a state, or the
            SavedModel differs from the model.
        OSError: if it cannot be written.
    """
    as_count("samples", score_samples)
    path = version_directory(Path(path))
    half = HalfPrecision(vae, precision) if precision != "float32" else None
    scope, vae = (half.scope, half.vae) if half else (nullcontext, vae)
    with replacing(path) as written:
        table = SignatureTable(vae, score_samples)
        _save(concrete_functions(table.table(), scope), written)
        check_graph(written)
        compare(table, written, half=vae.dtype_policy.compute_dtype != "float32")
        extra = written / "assets.extra"
        extra.mkdir()
        write_warm_up_requests(table, extra)
        write_description(describe(vae, score_samples, precision, training), extra)
    return path


def _save(functions: dict[str, Any], path: Path) -> None:
    module = tf.Module()
    # Only the weights that the signatures read, and nothing of Keras.
    used = [weight for function in functions.values() for weight in function.variables]
    module.weights = list({id(weight): weight for weight in used}.values())
    try:
        tf.saved_model.save(module, str(path), signatures=functions)
    except tf.errors.OpError as error:
        # TensorFlow has exceptions of its own for a full disk and the like.
        raise OSError(None, error.message) from error
