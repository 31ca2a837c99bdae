"""The background model of the likelihood ratio."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from vae_tf.evaluation.sklearn_inputs import as_random_state
from vae_tf.models.vae import VAE
from vae_tf.objectives import ELBO
from vae_tf.training.data_checks import checked
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError

_LOOKED_AT = 1000
_MOST_LEVELS = 256


def train_background(
    vae: VAE,
    x_train: Any,
    mutation_rate: float = 0.2,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> VAE:
    """A model like `vae`, trained on perturbed data.

    Ren et al. (2019), "Likelihood Ratios for Out-of-Distribution Detection", section 2: in each epoch
    anew, each value is replaced with probability `mutation_rate` by one drawn uniformly from the
    levels that occur (of binary or 8-bit data), or from the range of the data. That destroys what the
    values mean together and keeps their general statistics, which `out_of_distribution` then divides
    out. The best rate depends on the data; choose it on a third set, not on the one reported.

    Args:
        vae: Gives the architecture; its weights are not used. Trained by the plain ELBO.
        x_train: `[N, *event]`, what `vae` was trained on.
        mutation_rate: float in (0, 1). Defaults to 0.2.
        epochs: int. Defaults to 10; as many as `vae` was trained for is the fair choice.
        batch_size: int. Defaults to 128.
        learning_rate: float. Of Adam. Defaults to 0.001.
        seed: int. Of the draws of z in training, the order and the perturbations; initial weights
            follow the initializers of `vae`, which repeat if they have seeds, as those of a preset
            with a seed. Defaults to 0.
        callbacks: Keras callbacks, for instance for progress. They see one `fit` an epoch.

    Returns:
        The trained model.

    Raises:
        InputError: for data that do not fit the model, or a rate outside (0, 1).
    """
    if not 0 < mutation_rate < 1:
        raise InputError(
            f"mutation_rate is {mutation_rate!r}, expected a number between 0 and 1, such as 0.2."
        )
    epochs = as_count("epochs", epochs)
    (x,) = checked((np.asarray(x_train, np.float32),), vae.likelihood, "x_train")
    background = type(vae).from_config({**vae.get_config(), "seed": as_random_state(seed)})
    background.compile(keras.optimizers.Adam(learning_rate), ELBO())
    rng = np.random.default_rng(as_random_state(seed))
    for epoch in range(epochs):
        # Keras would shuffle by its global seed.
        mutated = _mutate(x[rng.permutation(len(x))], mutation_rate, rng)
        background.fit(
            mutated,
            batch_size=batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=list(callbacks),
        )
    return background


def _mutate(x: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """`x` with values replaced, in place."""
    levels = np.unique(x[:_LOOKED_AT])
    replaced = rng.random(x.shape, np.float32) < rate
    count = int(replaced.sum())
    # Counts stay counts, whatever their number: their likelihood has no density between them.
    if len(levels) <= _MOST_LEVELS or (levels == np.floor(levels)).all():
        x[replaced] = rng.choice(levels, count)
    else:
        x[replaced] = rng.uniform(levels[0], levels[-1], count)
    return x
