"""The figure of `vae_tf.baselines.three_panels` for a run."""

import dataclasses

from matplotlib.figure import Figure

from vae_tf import baselines, pictures
from vae_tf.data import Data, head
from vae_tf.evaluation.batching import Progress
from vae_tf.reporting.embedded_figure import EmbeddedFigure, embedded_figure
from vae_tf.runs.building import build_model
from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.figures.illustrate import described

_TRAINED, _EPOCHS = 2000, 30


def three_panels_figure(
    config: TrainingConfig, data: Data, progress: Progress | None = None
) -> EmbeddedFigure:
    """Trains the run's network, with two latents, by each half of the ELBO and by both.

    Args:
        config: Of the run.
        data: Its data, of which the first 2000 train examples are used.
        progress: As in `vae_tf.runs.evaluate`.
    """
    x, y = head(data.train, _TRAINED)

    def draw() -> Figure:
        panels = baselines.three_panels(
            x,
            build=lambda: build_model(dataclasses.replace(config, latent_dim=2), data),
            epochs=_EPOCHS,
            batch_size=min(config.batch_size, len(x)),
            learning_rate=config.learning_rate,
            seed=config.seed,
            progress=progress,
        )
        return pictures.three_panels(
            {panel.name: panel.z for panel in panels},
            y,
            notes={panel.name: panel.note for panel in panels},
            title=described(data),
        )

    return embedded_figure(
        "Why both halves of the ELBO",
        "Reconstruction alone, the KL alone, and both",
        f"The run's network with two latents, trained for {_EPOCHS} epochs on the first {len(x)} "
        "train examples; a draw of q(z|x) for each. Without the KL the codes leave gaps under the "
        "prior, where samples come from; without the reconstruction they say nothing of x.",
        draw,
    )
