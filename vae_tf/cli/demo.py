"""`vae-tf demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vae_tf.cli.command import tensorflow_command
from vae_tf.cli.options import Json, print_json
from vae_tf.cli.serving_package import MODEL_NAME, serving_module

_SAMPLES, _SEED = 16, 7


@tensorflow_command
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run; a new one.")] = Path("runs/demo"),
    as_json: Json = False,
) -> None:
    """Train on the embedded digits, evaluate, draw, export, serve, and sample over REST and gRPC."""
    serving_module("server")  # said before the training, not after it, if it is not installed
    from vae_tf import runs

    result = runs.demo(out, verbose=not as_json)
    served = _serve(result.saved_model.parent, out / "pictures" / "served.png")
    if as_json:
        print_json({**result.summary(), "served": served})
        return
    typer.echo(str(result))
    typer.echo(
        f"Served: {_SAMPLES} samples over REST and over gRPC, the same to the last bit: "
        f"{served['picture']}\nDo it again:\n  {served['serve']}\n  {served['call']}"
    )


def _serve(model: Path, picture: Path) -> dict[str, Any]:
    """Starts the server, samples over both protocols, and draws the samples."""
    import numpy as np

    from vae_tf import pictures
    from vae_tf_serving import Client

    with serving_module("server").local(str(model.absolute()), MODEL_NAME) as server:
        over = {"gRPC": server.grpc_address, "REST": f"http://{server.rest_address}"}
        answers = {}
        for protocol, address in over.items():
            with Client(address) as client:
                answers[protocol] = client.sample(_SAMPLES, seed=_SEED)
    if not np.array_equal(answers["REST"], answers["gRPC"]):
        raise RuntimeError("REST and gRPC gave different samples for the same seed.")
    pictures.save(pictures.samples(answers["gRPC"], title="Served samples"), picture)
    return {
        "picture": str(picture),
        "samples": _SAMPLES,
        "serve": f"vae-tf serve {model}",
        "call": f"vae-tf call sample --n {_SAMPLES} --seed {_SEED} --out samples.png",
    }
