"""Arguments that several commands take, JSON output, and progress bars."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `vae-tf train` made.")]
Ood = Annotated[
    str | None,
    typer.Option(help="Data of another kind, name or path: does the model tell them apart?"),
]
BackgroundEpochs = Annotated[
    int,
    typer.Option(
        help="Training of the background model for --ood's likelihood ratio; 0 leaves it out."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]


def print_json(value: Any) -> None:
    """Prints `value` as JSON. NaN, which JSON lacks, becomes null."""
    typer.echo(json.dumps(_without_nan(value), indent=2))


@contextlib.contextmanager
def progress_bars(shown: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """Gives what `vae_tf.evaluation` calls with what it computes, how much is done, and of how much.

    The bars are on stderr, gone at the end, and not there at all if that is no terminal.
    """
    console = Console(stderr=True)
    with Progress(
        console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
