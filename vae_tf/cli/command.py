"""What every command has in common: one line instead of a traceback, and a quiet TensorFlow."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from vae_tf.cli.quiet import import_tensorflow
from vae_tf.utils.backend import require_tensorflow
from vae_tf.utils.errors import InputError

FILE_ERROR, INPUT_ERROR, INTERRUPTED = 1, 2, 130


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Decorates the function of a command.

    `InputError` becomes one line on stderr and exit code 2, `OSError` (a full disk, no permission)
    one line and 1, Ctrl-C one line and 130. Everything else is a defect and keeps its traceback.

    Args:
        function: Raises what the Python API raises.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            require_tensorflow()
            function(*args, **kwargs)
        except InputError as error:
            _exit(f"error: {error}", INPUT_ERROR)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _exit(f"error: {where}{error.strerror or error}.", FILE_ERROR)
        except KeyboardInterrupt as error:
            _exit(str(error) or "interrupted.", INTERRUPTED)

    return run


def tensorflow_command(function: Callable[..., None]) -> Callable[..., None]:
    """`command`, for a function that needs TensorFlow: imports it first, quietly."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        import_tensorflow()
        function(*args, **kwargs)

    return command(run)


def _exit(line: str, code: int) -> NoReturn:
    typer.echo(" ".join(line.split()), err=True)
    raise typer.Exit(code)
