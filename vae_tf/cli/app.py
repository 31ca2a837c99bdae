"""The Typer application: all commands."""

import typer

from vae_tf.cli.call import call
from vae_tf.cli.demo import demo
from vae_tf.cli.evaluate import evaluate
from vae_tf.cli.explore import explore
from vae_tf.cli.report import report
from vae_tf.cli.run_commands import export, info, reconstruct, sample
from vae_tf.cli.serve import SETTINGS, serve
from vae_tf.cli.train import train_command


def make_app() -> typer.Typer:
    """Makes the application, with all presets and objectives that are registered."""
    app = typer.Typer(
        name="vae-tf",
        help="Variational auto-encoders, from training to a served SavedModel.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback means a defect, and is wanted as it is
    )
    app.command("train")(train_command())
    for command in (evaluate, report, sample, reconstruct, export, info, demo):
        app.command()(command)
    app.command(context_settings=SETTINGS)(serve)
    app.add_typer(explore)
    app.add_typer(call)
    return app


app = make_app()


def main() -> None:
    """Runs the command of `sys.argv`, and exits: 0, 1 file error, 2 bad input, 130 Ctrl-C."""
    make_app()(prog_name="vae-tf")
