"""A virtual environment for each peer, made on first use."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class UnavailableError(Exception):
    """Why a peer is left out."""


def python_with(requirements: Sequence[str], cache: Path) -> Path:
    """The interpreter of an environment with `requirements`; that of this process if there are none.

    Raises:
        UnavailableError: if pip cannot install them; its last words.
    """
    if not requirements:
        return Path(sys.executable)
    wanted = "\n".join([sys.version, *requirements])
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"installing {' '.join(requirements)} into {folder} ...", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", folder)
        _run(python, "-m", "pip", "install", "--quiet", *requirements)
        done.write_text(wanted)
    return python


def _run(*command: str | Path) -> None:
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode:
        words = (result.stderr or result.stdout).strip().splitlines()
        raise UnavailableError(words[-1] if words else f"{command[0]} failed")
