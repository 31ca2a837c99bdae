"""`vae-tf explore`: walks through the latent space of a run."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import RunFolder
from vae_tf.utils.errors import InputError

if TYPE_CHECKING:
    from vae_tf.runs import Run

explore = typer.Typer(
    name="explore", help="Move about in the latent space of a model.", no_args_is_help=True
)

_OUT = typer.Option(help="A picture (.png, .svg, .pdf), or .npy for the numbers.")
_SEED = typer.Option(help="The same seed gives the same draws. Defaults to fresh ones.")
_EXAMPLE = typer.Option(help="Number of the test example, counted from 0.")
Seed = Annotated[int | None, _SEED]
Count = Annotated[int, typer.Option("--n", "-n", help="How many.")]


@explore.command()
@tensorflow_command
def interpolate(
    run: RunFolder,
    pairs: Annotated[int, typer.Option(help="Pairs of test examples.")] = 5,
    steps: Annotated[int, typer.Option(help="Points from one to the other.")] = 10,
    method: Annotated[str, typer.Option(help="linear or spherical.")] = "linear",
    between: Annotated[
        tuple[int, int] | None,
        typer.Option(
            help="Numbers of two test examples, counted from 0, in place of the first pairs."
        ),
    ] = None,
    out: Annotated[Path, _OUT] = Path("interpolations.png"),
) -> None:
    """Draw the ways between test examples."""
    from vae_tf.runs.figures.exploration import draw_interpolations

    typer.echo(draw_interpolations(_open(run), out, pairs, steps, method, between))


@explore.command()
@tensorflow_command
def traverse(
    run: RunFolder,
    example: Annotated[
        int | None, typer.Option(help="Start from this test example, not the prior's mean.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Values of each dimension.")] = 9,
    reach: Annotated[float, typer.Option(help="They go from -reach to reach.")] = 3.0,
    out: Annotated[Path, _OUT] = Path("traversals.png"),
) -> None:
    """Draw what each latent dimension does."""
    from vae_tf.runs.figures.exploration import draw_traversals

    typer.echo(draw_traversals(_open(run), out, example, steps, reach))


@explore.command()
@tensorflow_command
def variations(
    run: RunFolder,
    example: Annotated[int, _EXAMPLE] = 0,
    n: Count = 19,
    seed: Seed = None,
    out: Annotated[Path, _OUT] = Path("variations.png"),
) -> None:
    """Draw what the model makes of draws from q(z|x) of one test example."""
    from vae_tf.runs.figures.exploration import draw_variations

    typer.echo(draw_variations(_open(run), out, example, n, seed))


@explore.command()
@tensorflow_command
def directions(
    run: RunFolder,
    label: Annotated[int, typer.Option(help="The class to move towards.")],
    n: Count = 5,
    method: Annotated[str, typer.Option(help="mean_difference or classifier.")] = "mean_difference",
    out: Annotated[Path, _OUT] = Path("directions.png"),
) -> None:
    """Draw test examples moved towards a label and away from it."""
    from vae_tf.runs.figures.exploration import draw_direction

    typer.echo(draw_direction(_open(run), out, label, n, method))


@explore.command()
@tensorflow_command
def nearest(
    run: RunFolder,
    n: Count = 5,
    k: Annotated[int, typer.Option(help="Test examples of each sample.")] = 7,
    seed: Seed = None,
    out: Annotated[Path, _OUT] = Path("nearest.png"),
) -> None:
    """Draw samples with the test examples nearest to their latents."""
    from vae_tf.runs.figures.exploration import draw_nearest

    typer.echo(draw_nearest(_open(run), out, n, k, seed))


@explore.command()
@tensorflow_command
def denoise(
    run: RunFolder,
    noise: Annotated[float, typer.Option(help="Standard deviation, in the data's units.")] = 0.3,
    n: Count = 20,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    out: Annotated[Path, _OUT] = Path("denoised.png"),
) -> None:
    """Draw test examples with noise, and what the model makes of them."""
    from vae_tf.runs.figures.exploration import draw_denoised

    path, found = draw_denoised(_open(run), out, noise, n, seed)
    typer.echo(path)
    typer.echo(
        f"PSNR {found.psnr_before:.2f} dB before, {found.psnr_after:.2f} dB after: "
        f"gain {found.gain:+.2f} dB",
        err=True,
    )


@explore.command()
@tensorflow_command
def compress(
    run: RunFolder,
    n: Count = 20,
    bits_per_value: Annotated[
        int | None,
        typer.Option(help="Of a value as it is. Defaults to 1 for binarised data, 8 for others."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the codes.")] = 0,
    out: Annotated[Path, _OUT] = Path("compressed.png"),
) -> None:
    """Draw test examples, and what is left of them after a code of q(z|x)."""
    from vae_tf.runs.figures.exploration import draw_compressed

    path, found = draw_compressed(_open(run), out, n, bits_per_value, seed)
    typer.echo(path)
    typer.echo(
        f"{found.raw_bits} bits an example as it is, {found.bits.mean():.2f} bits as a code "
        f"(a rate, no file): {found.ratio:.1f} times less; PSNR {found.psnr:.2f} dB",
        err=True,
    )


@explore.command()
@tensorflow_command
def optimize(
    run: RunFolder,
    score: Annotated[
        str,
        typer.Option(
            help="module:function of x [B, *event] that gives B numbers, to be made large; modules of "
            "this folder are found."
        ),
    ],
    steps: Annotated[int, typer.Option(help="Calls of the score after the first.")] = 30,
    initial: Annotated[int, typer.Option(help="Draws from the prior to begin with.")] = 10,
    seed: Seed = None,
    out: Annotated[Path, _OUT] = Path("optimum.png"),
) -> None:
    """Look for what a score likes best, by Bayesian optimisation, and draw all that was tried."""
    from vae_tf.runs.figures.exploration import draw_optimum

    path, found = draw_optimum(_open(run), out, _function(score), steps, initial, seed)
    typer.echo(path)
    typer.echo(
        f"best score {found.score:.4g}, of the first {initial} {found.scores[:initial].max():.4g}",
        err=True,
    )


def _function(name: str) -> Callable[[Any], Any]:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, "")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"There is no function {name!r} ({error}); name one as module:function, such as "
            "scores:brightness for `def brightness(x)` in scores.py."
        ) from error


def _open(run: Path) -> "Run":
    from vae_tf import runs

    return runs.open_run(run)
