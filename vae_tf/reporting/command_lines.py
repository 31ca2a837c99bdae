"""Command lines that reproduce a run and its report."""

import shlex
from typing import Any

from vae_tf.runs.config import TrainingConfig
from vae_tf.runs.run import Run


def train_command(run: Run) -> str:
    """The `vae-tf train` of this run, into a folder beside it."""
    config = run.config
    defaults = TrainingConfig(dataset=config.dataset)
    words = ["vae-tf", "train", config.dataset]
    for name, (value, _) in config.differences(defaults).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        else:
            words += [option, _word(name, value)]
    return shlex.join([*words, "--out", f"{run.folder}-again"])


def report_command(run: Run, options: dict[str, Any]) -> str:
    """The `vae-tf report` of a run.

    Args:
        run: The run.
        options: Name of an option -> its value; None and False are left out.
    """
    words = ["vae-tf", "report", str(run.folder)]
    for name, value in options.items():
        if value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    return shlex.join(words)


def _word(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        return ("x" if name == "image_size" else ",").join(map(str, value))
    return str(value)
