"""The figures of a report."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from vae_tf import attribution, explore, pictures
from vae_tf.data import Data, head
from vae_tf.explore.edit import STRENGTHS
from vae_tf.models.vae import VAE
from vae_tf.reporting.embedded_figure import EmbeddedFigure, embedded_animation, embedded_figure
from vae_tf.runs.evaluation.evaluate import RunEvaluation
from vae_tf.runs.figures.illustrate import SCATTERED, described
from vae_tf.runs.figures.model_figures import model_figures
from vae_tf.runs.figures.ood import NAMES, other_figures
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.run import Run
from vae_tf.utils.errors import InputError

_MODEL, _LATENTS, _TRAINING = "What the model makes", "Latent space", "Training"
_ATTRIBUTION, _OTHER = "Where the latents come from", "Other data"

_PAIRS, _STEPS = 5, 10  # of the interpolations
_TRAVERSED = 10  # dimensions
_VALUES = np.linspace(-3, 3, 9)
_ATTRIBUTED, _MAPPED = 8, 5  # examples and dimensions
_NOISY = 16  # copies of each example, SmoothGrad
_FILMS = ("manifold", "samples")  # the first that is there


def figures(run: Run, vae: VAE, data: Data, evaluation: RunEvaluation) -> Iterator[EmbeddedFigure]:
    """Draws the figures of a run in the order of the page.

    Args:
        run: The run.
        vae: Its model.
        data: Its data.
        evaluation: Its figures on the test split of `data`.
    """
    x, y = head(data.test, SCATTERED)
    title = described(data)
    yield from _model(vae, data, x, y, title)
    yield from _latents(vae, x, title, evaluation)
    if y is not None and len(np.unique(y)) > 1:
        yield _edits(vae, x, y, title)
    yield from _training(run, title)
    if len(vae.event_shape) == 3:
        yield from _attribution(vae, x[:_ATTRIBUTED], title, evaluation)
    yield from _other(evaluation)


def _model(
    vae: VAE, data: Data, x: np.ndarray, y: np.ndarray | None, title: str
) -> Iterator[EmbeddedFigure]:
    drawn = model_figures(vae, x, y, title, data.seed)
    above = (
        ""
        if vae.latent_dim == 2
        else f", of {vae.latent_dim} dimensions the plane of most variance"
    )
    captions = {
        "samples": ("Samples", f"Means of p(x|z) at draws z ~ p(z), seed {data.seed}."),
        "reconstructions": (
            "Reconstructions",
            "The first test examples, and the means of p(x|z) at the means of q(z|x).",
        ),
        "manifold": (
            "Manifold",
            "Means of p(x|z) over the two latents, at steps of equal probability under the prior.",
        ),
        "latent_scatter": (
            "Latent scatter",
            f"Means of q(z|x) of the first {len(x)} test examples{above}.",
        ),
    }
    for name, (heading, caption) in captions.items():
        if name in drawn:
            yield embedded_figure(_MODEL, heading, caption, partial(_given, drawn[name]))


def _latents(
    vae: VAE, x: np.ndarray, title: str, evaluation: RunEvaluation
) -> Iterator[EmbeddedFigure]:
    dimensions = _leading(evaluation, _TRAVERSED)
    which = (
        "" if len(dimensions) == vae.latent_dim else f"the {len(dimensions)} of the largest KL, "
    )

    def traversals() -> Figure:
        found = explore.traverse(vae, x[0], dimensions, _VALUES).x
        return pictures.traversals(found, _VALUES, dimensions=dimensions, title=title)

    def interpolations() -> Figure:
        pairs = len(x[: 2 * _PAIRS]) // 2
        ends = x[: 2 * pairs].reshape(pairs, 2, *vae.event_shape)
        ways = [explore.interpolate(vae, one, two, _STEPS).x for one, two in ends]
        return pictures.interpolations(np.stack(ways), title=title)

    yield embedded_figure(
        _LATENTS,
        "Traversals",
        "Means of p(x|z) at the code of the first test example with one dimension set to other values: "
        f"{which}a row each.",
        traversals,
    )
    yield embedded_figure(
        _LATENTS,
        "Interpolations",
        "Means of p(x|z) on the straight lines between the codes of test examples, the first "
        f"{2 * _PAIRS} in pairs.",
        interpolations,
    )
    number = f"mean over {evaluation.examples} test examples"
    yield embedded_figure(
        _LATENTS,
        "KL per dimension",
        f"KL(q(z_d|x) || p(z_d)), {number}: what a dimension tells of x, in nats.",
        partial(_kl_per_dimension, evaluation, title),
    )
    units = evaluation.details.active_units
    yield embedded_figure(
        _LATENTS,
        "Active units",
        f"Variance of the posterior mean over {evaluation.examples} test examples; active above "
        f"{units.threshold:g} (Burda et al., 2016).",
        partial(pictures.active_units, units.variances, threshold=units.threshold, title=title),
    )
    yield embedded_figure(
        _LATENTS,
        "Rate and distortion",
        f"The two terms of the ELBO, {number}; grey lines have the same ELBO (Alemi et al., 2018).",
        partial(
            pictures.rate_distortion,
            {f"after epoch {evaluation.epoch}": (evaluation.kl, -evaluation.log_likelihood)},
            title=title,
        ),
    )


def _edits(vae: VAE, x: np.ndarray, y: np.ndarray, title: str) -> EmbeddedFigure:
    labels, counts = np.unique(y, return_counts=True)
    label = int(labels[counts.argmax()])

    def draw() -> Figure:
        direction = explore.attribute_direction(vae, x, y == label)
        edited = explore.edit(vae, x[y != label][:_PAIRS], direction, STRENGTHS).x
        return pictures.edits(edited, STRENGTHS, title=title)

    return embedded_figure(
        _LATENTS,
        "Edits",
        f"The first test examples of other labels, moved towards label {label} and away from it: along "
        f"the difference of the mean codes with and without it, of {len(x)} test examples.",
        draw,
    )


def _training(run: Run, title: str) -> Iterator[EmbeddedFigure]:
    yield embedded_figure(
        _TRAINING,
        "Learning curves",
        "Nats per example: of training data the mean during the epoch, of the test split after it.",
        partial(pictures.learning_curves, run.history, title=title),
    )
    epochs = RunFolder(run.folder).pictures / "epochs"
    animations = [path for name in _FILMS if (path := epochs / f"{name}.gif").is_file()]
    if animations:
        caption = "The same latents after every few epochs, from the first to the last."
        yield embedded_animation(
            _TRAINING, f"Animation of the {animations[0].stem}", caption, animations[0]
        )


def _attribution(
    vae: VAE, x: np.ndarray, title: str, evaluation: RunEvaluation
) -> Iterator[EmbeddedFigure]:
    dimensions = _leading(evaluation, _MAPPED)
    names = [f"$z_{{{dimension + 1}}}$" for dimension in dimensions]
    which = f"first {len(x)} test examples, {len(dimensions)} of {vae.latent_dim} latent dimensions"

    def overlaid(maps: Callable[[], np.ndarray]) -> Figure:
        return pictures.overlays(x, maps(), names=names, title=title)

    yield embedded_figure(
        _ATTRIBUTION,
        "Saliency",
        "Pixels that, changed a little, change the mean of a latent most: the gradient (Simonyan et "
        f"al., 2014); {which}. Each map is divided by its maximum.",
        partial(overlaid, partial(attribution.saliency, vae, x, dimensions)),
    )
    yield embedded_figure(
        _ATTRIBUTION,
        "SmoothGrad",
        f"The same, as the mean over {_NOISY} noisy copies (Smilkov et al., 2017).",
        partial(
            overlaid,
            partial(attribution.saliency, vae, x, dimensions, smooth_samples=_NOISY),
        ),
    )
    yield embedded_figure(
        _ATTRIBUTION,
        "Grad-CAM++",
        "Parts that raise the mean of a latent, as its last convolution sees them (Chattopadhay et "
        f"al., 2018); {which}.",
        partial(overlaid, partial(attribution.grad_cam, vae, x, dimensions)),
    )

    def liked() -> Figure:
        images = attribution.activation_maximization(vae, dimensions)
        return pictures.samples(images, columns=len(dimensions), title=title)

    yield embedded_figure(
        _ATTRIBUTION,
        "Activation maximisation",
        "What raises the mean of a latent most, by gradient ascent from noise (Erhan et al., 2009); "
        f"dimensions {', '.join(str(d + 1) for d in dimensions)} from the left. It is what the encoder "
        "likes, and need not look like data.",
        liked,
    )


def _other(evaluation: RunEvaluation) -> Iterator[EmbeddedFigure]:
    found = evaluation.out_of_distribution
    if found is None:
        return
    for score, figure in other_figures(evaluation).items():
        yield embedded_figure(
            _OTHER,
            NAMES[score],
            f"{found.examples_in} test examples of {evaluation.dataset}, {found.examples_out} of "
            f"{evaluation.other}; higher is meant to be the model's own.",
            partial(_given, figure),
        )


def _given(figure: Figure) -> Figure:
    return figure


def _kl_per_dimension(evaluation: RunEvaluation, title: str) -> Figure:
    kl = evaluation.details.kl_per_dimension
    if kl is None:
        raise InputError(
            "The KL of this model is not a sum over latent dimensions: its posterior or its prior "
            "ties them together."
        )
    return pictures.kl_per_dimension(kl, title=title)


def _leading(evaluation: RunEvaluation, most: int) -> list[int]:
    """The dimensions that carry most, at most `most` of them, in their own order."""
    details = evaluation.details
    kl = details.kl_per_dimension
    carried = details.active_units.variances if kl is None else kl
    return sorted(int(d) for d in np.argsort(-carried, kind="stable")[:most])
