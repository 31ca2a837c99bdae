import importlib
import subprocess
import sys

import pytest

import vae_tf
from vae_tf import layers, pictures, runs


@pytest.mark.parametrize(
    ("module", "name", "new"),
    [
        ("vae_tf.vae", "VAE", "vae_tf.models.vae"),
        ("vae_tf.loading", "load", "vae_tf.models.loading"),
        ("vae_tf.errors", "InputError", "vae_tf.utils.errors"),
        ("vae_tf.export", "export", "vae_tf.saved_models.export"),
        ("vae_tf.objectives.terms", "ElboTerms", "vae_tf.inference"),
        ("vae_tf.layers.distributions", "GammaPoisson", "vae_tf.distributions"),
    ],
)
def test_modules_that_moved_are_found_with_a_warning(module, name, new):
    sys.modules.pop(module, None)
    with pytest.warns(DeprecationWarning, match=f"{module} has moved to {new}") as caught:
        old = importlib.import_module(module)
    assert caught[0].filename == importlib.__file__  # the line that imports, not the hook
    assert getattr(old, name) is getattr(importlib.import_module(new), name)


@pytest.mark.parametrize(
    ("package", "name", "new"),
    [
        (layers, "PerElementLayer", "ElementwiseLayer"),
        (pictures, "film", "animation"),
        (runs, "Evaluation", "RunEvaluation"),
    ],
)
def test_names_that_moved_are_found_with_a_warning(package, name, new):
    with pytest.warns(DeprecationWarning, match=f"{name} has moved to {package.__name__}.{new}"):
        assert getattr(package, name) is getattr(package, new)


def test_an_unknown_name_is_an_attribute_error():
    for package in (vae_tf, layers, pictures, runs):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            package.nothing  # noqa: B018


def test_no_warning_and_no_tensorflow_on_import():
    code = "import sys, vae_tf, vae_tf.pictures, vae_tf.runs; sys.exit('tensorflow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code]).returncode
        == 0
    )
