"""The model of a run as a SavedModel."""

import dataclasses
import os
from pathlib import Path

from vae_tf.runs.run import Run
from vae_tf.saved_models.export import export
from vae_tf.saved_models.half_precision import HalfPrecision


@dataclasses.dataclass(frozen=True)
class ExportedRun:
    """What `export_run` wrote.

    Attributes:
        path: Path. The version directory.
        precision: str. Of the stored weights.
        described: str. The dataset and binarisation of the figures.
        elbo: float or None. Mean test elbo of the model, nats; None in float32.
        exported_elbo: float or None. The same of the rounded weights, with the same draws.
    """

    path: Path
    precision: str
    described: str
    elbo: float | None = None
    exported_elbo: float | None = None

    def __str__(self) -> str:
        if self.elbo is None or self.exported_elbo is None:
            return str(self.path)
        return (
            f"{self.path}\n  weights in {self.precision}: test elbo {self.exported_elbo:.3f}, "
            f"in float32 {self.elbo:.3f}, a loss of {self.elbo - self.exported_elbo:.3f} nats "
            f"per example of {self.described}"
        )


def export_run(
    run: Run,
    path: str | os.PathLike[str],
    score_samples: int = 100,
    precision: str = "float32",
) -> ExportedRun:
    """Exports the model of a run; in half precision also measures what that costs.

    Args:
        run: The run.
        path: The version directory, or the model's, which gets the next version.
        score_samples: int. K of the signature `score`. Defaults to 100.
        precision: str. "float32", "bfloat16" or "float16".

    Raises:
        InputError: see `vae_tf.saved_models.export.export`.
        OSError: if it cannot be written.
    """
    vae = run.model()
    written = export(vae, path, score_samples, precision, training=run.summary())
    if precision == "float32":
        return ExportedRun(written, precision, run.described)
    data = run.data()
    rounded = HalfPrecision(vae, precision).vae
    rounded.compile()
    whole, half = (
        float(model.evaluate(data.test, return_dict=True, verbose=0)["elbo"])
        for model in (vae, rounded)
    )
    return ExportedRun(written, precision, run.described, elbo=whole, exported_elbo=half)
