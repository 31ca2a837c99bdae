"""`vae-tf call`: a served model from the shell. Imports no TensorFlow."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vae_tf.cli.command import command
from vae_tf.cli.options import Json, print_json
from vae_tf.utils.atomic import replacing
from vae_tf.utils.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from vae_tf_serving import Client

_PICTURES = (".png", ".svg", ".pdf")
_BAD_INPUT = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE"}

call = typer.Typer(
    name="call",
    help="Call a served model: this repository's server, or TensorFlow Serving.",
    no_args_is_help=True,
)


def _connection(
    *,
    address: Annotated[
        str, typer.Option(help="host:port for gRPC, http://host:port for REST.")
    ] = "localhost:8500",
    model: Annotated[str, typer.Option(help="Name of the model in the server.")] = "vae",
    version: Annotated[
        int | None, typer.Option(help="Defaults to the newest that is available.")
    ] = None,
    deadline: Annotated[float, typer.Option(help="Seconds for a request.")] = 60.0,
    ca: Annotated[Path | None, typer.Option(help="TLS: certificates, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Mutual TLS: own key, PEM.")] = None,
    cert: Annotated[Path | None, typer.Option(help="Mutual TLS: own certificate.")] = None,
) -> "Client":
    try:
        from vae_tf_serving import Client
    except ImportError as error:
        raise InputError(
            f"{error.name} is missing; install the client with `pip install 'vae-tf[serve]'`."
        ) from error
    try:
        return Client(
            address,
            model_name=model,
            version=version,
            deadline=deadline,
            ca=ca,
            key=key,
            cert=cert,
        )
    except ValueError as error:
        raise InputError(str(error)) from error


def _client_command(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a command of a function whose first argument is a client.

    The options of `_connection` come after its own. A request that the user can mend ends like
    other bad input, a server that does not answer like a file that cannot be read.
    """
    options = inspect.signature(_connection).parameters
    own = list(inspect.signature(function).parameters.values())[1:]

    @command
    def run(**arguments: Any) -> None:
        connection = {name: arguments.pop(name) for name in options}
        with _connection(**connection) as client:
            from vae_tf_serving import ServingError

            try:
                function(client, **arguments)
            except ServingError as error:
                raise _as_command_error(connection["address"], error.code, error) from error

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    parameters = [*own, *options.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def _as_command_error(address: str, code: str, error: Exception) -> Exception:
    line = f"{address}: {str(error).rstrip('.')}"
    if code in _BAD_INPUT:
        return InputError(f"{line}.")
    hint = "; `vae-tf serve` starts a server" if code == "UNAVAILABLE" else ""
    return ConnectionError(line + hint)


_Input = Annotated[
    Path, typer.Option("--in", help="NumPy's .npy, one example a row.", show_default=False)
]
_Further = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=FILE.npy",
        help="A further input of the signature, such as a condition; repeat it for several.",
        show_default=False,
    ),
]
_Picture = Annotated[Path, typer.Option(help="A picture (.png, .svg, .pdf), .npy or .npz.")]
_Arrays = Annotated[Path, typer.Option(help=".npz, an array an output.")]
_Seed = Annotated[
    int | None,
    typer.Option(help="The same seed gives the same numbers. Defaults to fresh ones."),
]


@call.command()
@_client_command
def sample(
    client: "Client",
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many.")] = 16,
    seed: _Seed = None,
    further: _Further = None,
    out: _Picture = Path("samples.png"),
) -> None:
    """Draw samples."""
    _check_suffix(out, *_PICTURES, ".npy", ".npz")
    _write(out, x=client.sample(n, seed, **_read_further(further, "n", "seed")))


@call.command()
@_client_command
def encode(
    client: "Client",
    source: _Input,
    further: _Further = None,
    out: _Arrays = Path("encoded.npz"),
) -> None:
    """Write `mean` and `stddev` of q(z|x) for each example; with several latents `NAME_mean`, ..."""
    _check_suffix(out, ".npz")
    encoded = client.encode(_read(source), **_read_further(further, "x"))
    if not isinstance(encoded, dict):
        _write(out, **encoded._asdict())
        return
    parts = {name: one._asdict().items() for name, one in encoded.items()}
    _write(out, **{f"{name}_{part}": array for name in parts for part, array in parts[name]})


@call.command()
@_client_command
def decode(
    client: "Client",
    source: Annotated[
        Path | None,
        typer.Option("--in", help="NumPy's .npy, one z a row. Several latents: --input of each."),
    ] = None,
    further: _Further = None,
    out: _Picture = Path("decoded.npy"),
) -> None:
    """Write or draw the mean of p(x|z) for each z."""
    _check_suffix(out, *_PICTURES, ".npy", ".npz")
    if source is None:
        _write(out, x=client.decode(**_read_further(further)))
    else:
        _write(out, x=client.decode(_read(source), **_read_further(further, "z")))


@call.command()
@_client_command
def reconstruct(
    client: "Client",
    source: _Input,
    further: _Further = None,
    out: _Picture = Path("reconstructed.npy"),
) -> None:
    """Write or draw what the model makes of each example."""
    _check_suffix(out, *_PICTURES, ".npy", ".npz")
    _write(out, x=client.reconstruct(_read(source), **_read_further(further, "x")))


@call.command()
@_client_command
def score(
    client: "Client",
    source: _Input,
    seed: _Seed = None,
    further: _Further = None,
    out: _Arrays = Path("scores.npz"),
) -> None:
    """Write `log_prob` and `elbo` of each example, in nats, and print their means."""
    _check_suffix(out, ".npz")
    scores = client.score(_read(source), seed, **_read_further(further, "x", "seed"))
    _write(out, **scores._asdict())
    typer.echo(f"mean log_prob {scores.log_prob.mean():.4f}, elbo {scores.elbo.mean():.4f} nats")


@call.command()
@_client_command
def status(client: "Client", as_json: Json = False) -> None:
    """Print the versions of the model and their states."""
    versions = client.status()
    if as_json:
        print_json([version._asdict() for version in versions])
        return
    for version in versions:
        problem = f" ({version.code}: {version.message})" if version.code != "OK" else ""
        typer.echo(f"version {version.version}: {version.state}{problem}")


@call.command()
@_client_command
def metadata(client: "Client", as_json: Json = False) -> None:
    """Print the signatures of the model."""
    known = client.metadata()
    tables = {
        name: {
            side: {key: str(info) for key, info in getattr(signature, side).items()}
            for side in ("inputs", "outputs")
        }
        for name, signature in known.signatures.items()
    }
    if as_json:
        print_json({"model_name": known.model_name, "version": known.version, "signatures": tables})
        return
    typer.echo(f"{known.model_name}, version {known.version}")
    for name, sides in tables.items():
        inputs, outputs = (
            ", ".join(f"{key} {info}" for key, info in side.items()) for side in sides.values()
        )
        typer.echo(f"{name}: {inputs} -> {outputs}")


def _check_suffix(path: Path, *suffixes: str) -> None:
    """Before anything is asked of the server."""
    if path.suffix.lower() not in suffixes:
        expected = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if suffixes[1:] else suffixes[0]
        raise InputError(f"{path} ends in {path.suffix!r}; expected {expected}.")


def _read(path: Path) -> "np.ndarray":
    import numpy as np

    try:
        array = np.load(path)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is no .npy file; write one with numpy.save.") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds several arrays; write the one meant with numpy.save.")
    return array


def _read_further(texts: list[str] | None, *others: str) -> "dict[str, np.ndarray]":
    """The arrays of `--input` by name; `others` are names that it cannot have."""
    arrays: dict[str, np.ndarray] = {}
    for text in texts or []:
        name, _, path = text.partition("=")
        if not (name and path):
            raise InputError(f"--input takes NAME=FILE.npy; got {text!r}.")
        if name in (*others, *arrays):
            raise InputError(f"--input {text}: there is another {name} already.")
        arrays[name] = _read(Path(path))
    return arrays


def _write(path: Path, **arrays: "np.ndarray") -> None:
    import numpy as np

    if path.suffix.lower() in _PICTURES:
        from vae_tf import pictures

        pictures.save(pictures.samples(arrays["x"]), path)
    else:
        with replacing(path) as written:
            if path.suffix.lower() == ".npy":
                np.save(written, arrays["x"])
            else:
                np.savez(written, **arrays)  # type: ignore[arg-type]
    typer.echo(path)
