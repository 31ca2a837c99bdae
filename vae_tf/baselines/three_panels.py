"""Codes of three models: reconstruction alone, the KL alone, and the ELBO."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_tf.baselines.kl_only import KLOnly
from vae_tf.evaluation.batching import Progress
from vae_tf.evaluation.latents.active_units import active_units
from vae_tf.evaluation.latents.kl_decomposition import kl_decomposition
from vae_tf.models.vae import VAE
from vae_tf.objectives import ELBO
from vae_tf.presets.mlp import mlp
from vae_tf.utils.checks import as_count
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import as_seed, fold_in

_STREAMS = {"codes": 0, "prior": 1, "reference": 2}
_FAR = 0.05


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the three models, and the figures measured on it.

    Attributes:
        name: str.
        vae: The trained model.
        z: float32 [N, D]. A draw of q(z|x) for each example.
        gaps: float. Share of draws from the prior without a code near them, see `gap_shares`: where
            the decoder has seen nothing. 0.05 where the codes are spread like the prior.
        outside: float. Share of codes without a draw from the prior near them: what `sample` will
            never show. 0.05 as above.
        active_units: int. Dimensions with Var_x E_q[z_d] > 0.01; 0 is collapse.
        mutual_information: float. I(x; z) in nats, at most log N; 0 is collapse.
        log_likelihood: float. E_q log p(x|z), nats per example.
        kl: float. KL(q(z|x) || p(z)), nats per example.
    """

    name: str
    vae: VAE
    z: np.ndarray
    gaps: float
    outside: float
    active_units: int
    mutual_information: float
    log_likelihood: float
    kl: float

    @property
    def note(self) -> str:
        """The figures in three lines, for `vae_tf.pictures.three_panels`."""
        return (
            f"gaps: {100 * self.gaps:.0f} % of the prior\n"
            f"active units {self.active_units}, I(x; z) {self.mutual_information:.2f} nats\n"
            f"E log p(x|z) {self.log_likelihood:.1f} nats"
        )


def three_panels(
    x: Any,
    *,
    build: Callable[[], VAE] | None = None,
    epochs: int = 50,
    batch_size: int = 100,
    learning_rate: float = 1e-3,
    seed: int = 0,
    verbose: int = 0,
    progress: Progress | None = None,
) -> tuple[Panel, Panel, Panel]:
    """Trains the same network with the reconstruction alone, the KL alone, and their sum.

    "autoencoder" maximises E_q log p(x|z), "KL only" minimises KL(q(z|x) || p(z)), "VAE" maximises
    the ELBO, their difference. All start from the same weights.

    Args:
        x: `[N, *event]`, N of at least 3, values in [0, 1] unless `build` says otherwise. A few
            thousand: they are measured in one batch, and their mutual information in N² time.
        build: Makes the untrained model, the same at each call. Defaults to the preset "mlp" with
            two latents and two hidden layers of 256 ReLUs.
        epochs: int. Defaults to 50.
        batch_size: int. Defaults to 100.
        learning_rate: float. Of Adam. Defaults to 1e-3.
        seed: int. Of weights, training and measurements. Defaults to 0.
        verbose: As in `keras.Model.fit`. Defaults to 0.
        progress: Called with "three panels", models done, and 3.

    Returns:
        Three `Panel`, in the order above. Draw them with `vae_tf.pictures.three_panels({p.name: p.z
        for p in panels}, labels, notes={p.name: p.note for p in panels})`.

    Raises:
        InputError: for fewer than 3 examples, another shape, or values without a density.
    """
    x = np.asarray(x)
    if x.ndim < 2 or len(x) < 3:
        raise InputError(
            f"`x` has shape {x.shape}, expected [N, *event] with at least 3 examples; give more."
        )
    as_count("epochs", epochs)
    objectives = {"autoencoder": ELBO(beta=0.0), "KL only": KLOnly(), "VAE": ELBO()}
    panels = []
    for name, objective in objectives.items():
        vae = build() if build else _default(x, seed)
        vae.compile(keras.optimizers.Adam(learning_rate), objective)
        # An order of the examples that the seed alone decides, another one each epoch.
        batches = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=seed).batch(batch_size)
        vae.fit(batches, epochs=epochs, verbose=verbose)
        panels.append(_measured(name, vae, x, seed))
        if progress:
            progress("three panels", len(panels), len(objectives))
    return tuple(panels)  # type: ignore[return-value]


def gap_shares(codes: np.ndarray, prior: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """How badly codes and the prior cover each other, by distances to the nearest neighbour.

    Far is what 5 % of `reference` are from their nearest in `prior`: both shares are near 0.05 where
    the codes have the distribution of the prior.

    Args:
        codes: `[N, D]`.
        prior: `[N, D]`, draws of p(z), as many.
        reference: `[N, D]`, as many others.

    Returns:
        The share of prior draws that are far from every code, and the share of codes that are far
        from every prior draw.
    """
    from sklearn.neighbors import NearestNeighbors  # takes a second to import

    def distances(queries: np.ndarray, to: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=1).fit(to).kneighbors(queries)[0]

    far = np.quantile(distances(reference, prior), 1 - _FAR)
    gaps, outside = distances(prior, codes) > far, distances(codes, prior) > far
    return float(gaps.mean()), float(outside.mean())


def _default(x: np.ndarray, seed: int) -> VAE:
    return mlp(x.shape[1:], 2, hidden=(256, 256), activation="relu", seed=seed)


def _measured(name: str, vae: VAE, x: np.ndarray, seed: int) -> Panel:
    seeds = {stream: fold_in(as_seed(seed), number) for stream, number in _STREAMS.items()}
    z = vae.encode(x).sample(seed=seeds["codes"]).numpy()
    p_z = vae.p_z()
    prior, reference = (p_z.sample(len(x), seed=seeds[s]).numpy() for s in ("prior", "reference"))
    terms = vae.elbo(x, seed=seeds["codes"])
    gaps, outside = gap_shares(z, prior, reference)
    return Panel(
        name=name,
        vae=vae,
        z=z,
        gaps=gaps,
        outside=outside,
        active_units=active_units(vae, x).count,
        mutual_information=kl_decomposition(vae, x, seed=seed).mutual_information,
        log_likelihood=float(terms.log_likelihood.numpy().mean()),
        kl=float(terms.kl.numpy().mean()),
    )
