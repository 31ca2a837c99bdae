"""The demonstration: train, evaluate, draw and export on the embedded digits."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.evaluation.evaluate import RunEvaluation, evaluate
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.progress import EpochLines
from vae_tf.runs.run import Run
from vae_tf.runs.training import train
from vae_tf.saved_models.export import export

# Two latents, so that the manifold can be drawn.
CONFIG = TrainingConfig(
    dataset="digits",
    binarize="threshold",
    latent_dim=2,
    hidden=(256, 256),
    activation="relu",
    epochs=100,
    learning_rate=2e-3,
    batch_size=100,
)
_PICTURES_EVERY = 10  # epochs
# What a server does: TensorFlow and a folder, nothing of this package.
_FRESH = """
import json, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
outputs = model.signatures["sample"](seed=tf.constant([1, 2, 3], tf.int64))
assert "vae_tf" not in sys.modules
print(json.dumps({name: list(value.shape) for name, value in sorted(outputs.items())}))
"""


@dataclasses.dataclass(frozen=True)
class Demo:
    """What `demo` made.

    Attributes:
        run: Run. The finished run.
        evaluation: RunEvaluation. Its figures on the test split.
        pictures: list of Path.
        saved_model: Path. The exported model.
        sampled: dict. Name -> shape of what a fresh process sampled, with TensorFlow alone.
        seconds: float. Wall time of all of it.
    """

    run: Run
    evaluation: RunEvaluation
    pictures: list[Path]
    saved_model: Path
    sampled: dict[str, list[int]]
    seconds: float

    def summary(self) -> dict[str, Any]:
        """All of it in JSON values."""
        return {
            "run": self.run.summary(),
            "evaluation": self.evaluation.as_dict(),
            "pictures": [str(path) for path in self.pictures],
            "saved_model": str(self.saved_model),
            "sampled": self.sampled,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        shapes = ", ".join(f"{name} {shape}" for name, shape in self.sampled.items())
        return "\n".join(
            [
                str(self.evaluation),
                f"SavedModel: {self.saved_model}",
                f"  a fresh process, with TensorFlow alone, sampled {shapes}",
                "Pictures:",
                *(f"  {path}" for path in self.pictures),
                f"Done in {self.seconds:.0f} seconds.",
            ]
        )


def demo(folder: str | os.PathLike[str], verbose: bool = True) -> Demo:
    """Trains on the digits, evaluates, draws, exports, and samples in a fresh process.

    The digits are scikit-learn's, 8 x 8, binarised at 0.5.

    Args:
        folder: Of the run; new or empty. The SavedModel goes to `saved_model/1` in it.
        verbose: bool. Whether to print a line each ten epochs. Defaults to True.

    Returns:
        What was made.

    Raises:
        InputError: if the folder holds something already.
        OSError: if it cannot be written to.
    """
    start = time.perf_counter()
    lines = [EpochLines(CONFIG.epochs, every=10)] if verbose else []
    run = train(CONFIG, folder, callbacks=lines, verbose=0, pictures_every=_PICTURES_EVERY)
    evaluation = evaluate(run)
    saved_model = export(run.model(), run.folder / "saved_model" / "1")
    return Demo(
        run=run,
        evaluation=evaluation,
        pictures=sorted(RunFolder(run.folder).pictures.glob("*.png")),
        saved_model=saved_model,
        sampled=_sample_in_fresh_process(saved_model),
        seconds=time.perf_counter() - start,
    )


def _sample_in_fresh_process(saved_model: Path) -> dict[str, list[int]]:
    done = subprocess.run(
        [sys.executable, "-c", _FRESH, str(saved_model.absolute())],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"A fresh process could not sample from {saved_model}:\n{done.stderr}")
    return json.loads(done.stdout)
