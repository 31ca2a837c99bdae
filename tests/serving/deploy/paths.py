"""Where the deployment's files are, and what reads them."""

import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "serving" / "deploy"


def tool(name: str, package: str) -> str:
    """The program `name`, or a skip that says which package brings it."""
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if not found:
        pytest.skip(f"{name} is not installed ({package})")
    return found


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a YAML file of several."""
    return [document for document in yaml.safe_load_all(text) if document]


def load(path: str) -> Any:
    """One YAML file of serving/deploy."""
    return yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))
