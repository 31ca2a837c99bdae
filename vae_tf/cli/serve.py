"""`vae-tf serve`."""

import sys
from pathlib import Path

import typer

from vae_tf.cli.command import command
from vae_tf.cli.serving_package import model_flags, serving_module

# The flags are TensorFlow Serving's and are parsed by the server.
SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@command
def serve(context: typer.Context) -> None:
    """Serve exported models over REST and gRPC, as TensorFlow Serving does.

    vae-tf serve models/digits [FLAGS]: its newest version, as the model "vae", gRPC on port 8500 and
    REST on 8501. All of TensorFlow Serving's flags are taken, and come after these; `vae-tf serve
    --help` lists them.
    """
    arguments = list(context.args)
    if arguments and not arguments[0].startswith("-"):
        arguments[:1] = model_flags(Path(arguments[0]))
    sys.exit(serving_module("app").main(arguments or ["--help"]))
