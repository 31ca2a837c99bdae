"""The latent direction of an attribute."""

from typing import Any

import numpy as np

from vae_tf.explore.codes import codes
from vae_tf.models.vae import VAE
from vae_tf.utils.errors import InputError

METHODS = ("mean_difference", "classifier")


def attribute_direction(
    vae: VAE, x: Any, labels: Any, method: str = "mean_difference"
) -> np.ndarray:
    """The step in latent space from examples without an attribute to those that have it.

    "mean_difference" is mean(z | with) - mean(z | without) of the posterior means (Larsen et al.
    2016, Autoencoding beyond pixels using a learned similarity metric, section 4.2). "classifier"
    is the unit normal n of a logistic regression between the two (scikit-learn), times the
    distance of the means along it, n · (mean(z | with) - mean(z | without)): it leaves alone what
    merely goes with the attribute. Either way a strength of 1 in `edit` is the usual distance.

    Args:
        vae: The model.
        x: `[N, *event]`.
        labels: `[N]` of two values, such as bools; the larger one is "has the attribute".
        method: "mean_difference" or "classifier". Defaults to "mean_difference".

    Returns:
        `[D]` float32.

    Raises:
        InputError: for another shape, labels that are not two values or not one an example, or an
            unknown method.
    """
    if method not in METHODS:
        raise InputError(f"method is one of {', '.join(METHODS)}; got {method!r}.")
    has = _as_attribute(labels, len(np.atleast_1d(x)))
    z = codes(vae, x).astype(np.float64)
    difference = z[has].mean(axis=0) - z[~has].mean(axis=0)
    if method == "classifier":
        from sklearn.linear_model import LogisticRegression  # takes a second to import

        (normal,) = LogisticRegression(max_iter=1000).fit(z, has).coef_
        length = np.linalg.norm(normal)
        if not length:
            raise InputError(
                "The classifier finds no direction that tells the two labels apart, because all "
                "codes are the same; train a model whose latents are in use."
            )
        difference = normal / length * (normal / length @ difference)
    return difference.astype(np.float32)


def _as_attribute(labels: Any, examples: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (examples,):
        raise InputError(
            f"`labels` has shape {labels.shape}, expected ({examples},): one for each example of `x`."
        )
    found = np.unique(labels)
    if len(found) != 2:
        raise InputError(
            f"`labels` has {len(found)} different values, expected two: with the attribute and "
            "without; for one class among several give labels == 3."
        )
    return labels == found[1]
