"""Counts the modules of vae_tf that a training step and an evaluation execute.

`python benchmarks/executed_modules.py` counts this checkout, `--root PATH` another one, such as a
worktree of an older commit. A module counts where a function of it runs, not where it is imported.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def executed(package: Path, call: Callable[[], Any]) -> list[str]:
    """The modules of a package of which a function runs while `call` does, sorted."""
    found: set[str] = set()

    def note(frame: Any, event: str, argument: Any) -> None:
        path = frame.f_code.co_filename
        if (
            event == "call"
            and path.startswith(f"{package}/")
            and frame.f_code.co_name != "<module>"
        ):
            found.add(str(Path(path).relative_to(package).with_suffix("")))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return sorted(found)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description="Counts the modules that a training step and an evaluation execute."
    )
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--list", action="store_true", help="also the modules")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    sys.path.insert(0, str(root))

    import numpy as np

    import vae_tf

    x = np.random.default_rng(0).integers(0, 2, (32, 8, 8, 1)).astype("float32")
    vae = vae_tf.presets.mlp((8, 8, 1), 2, hidden=(8,), seed=0)
    vae.compile("adam", vae_tf.objectives.ELBO(), run_eagerly=True)
    calls = {
        "a training step": lambda: vae.train_step((x,)),
        "evaluate": lambda: vae_tf.evaluation.evaluate(
            vae, x, num_samples=5, ais_examples=2, ais_steps=5, hmc_examples=2
        ),
    }
    for name, call in calls.items():
        call()  # what runs on the first use alone, such as imports, does not count
        modules = executed(root / "vae_tf", call)
        print(f"{name}: {len(modules)} modules")
        if arguments.list:
            print("  " + "\n  ".join(modules))


if __name__ == "__main__":
    main()
