"""Files of earlier versions give the numbers that they gave then; see tests/fixtures/make.py."""

import numpy as np
import pytest

import vae_tf
from tests.fixtures.measured import (
    all_numbers,
    fixture_of,
    measured,
    of_export,
    stored,
)

QUICK = {
    "conv_free_bits_sigmoid_beta",
    "conv_vamp",
    "mlp_full_covariance_mixture_iwae",
    "mlp_iwae_doubly_reparameterised",
    "mlp_mixed_float16",
    "digits",
}
TRAINED = ("weights/", "optimizer/", "history/")
# Relative, in half precision: a few units in the last place.
HALF = {"mlp_mixed_bfloat16": 0.03, "mlp_mixed_float16": 0.005}


def parameters(*kinds):
    return [
        pytest.param(
            numbers,
            id=f"{numbers.parts[-3]}-{numbers.stem}",
            marks=[]
            if numbers.stem in QUICK or numbers.parent.name == "export"
            else pytest.mark.slow,
        )
        for numbers in all_numbers()
        if numbers.parent.name in kinds
    ]


def assert_same(found, expected, half=None):
    """Equal up to what another processor rounds differently, in every number of `expected`."""
    assert set(expected) <= set(found)
    for name, value in expected.items():
        assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype), name
        rtol, atol = (5e-4, 2e-4) if name.startswith(TRAINED) else (1e-4, 1e-5)
        if half:
            rtol, atol = half, half
        scale = np.max(np.abs(value), initial=0)
        differing = ~np.isclose(found[name], value, rtol, atol * scale)
        # A draw that lies between two counts or classes may fall on the other side.
        allowed = max(1, value.size // 100) if name == "decode/draws" else 0
        worst = np.max(np.abs(found[name] - value), initial=0)
        assert np.sum(differing) <= allowed, f"{name} differs by {worst:.2g} of {scale:.2g}"


@pytest.mark.parametrize("numbers", parameters("model", "run"))
def test_old_files_give_their_numbers(numbers, tmp_path):
    assert_same(measured(numbers, tmp_path), stored(numbers), half=HALF.get(numbers.stem))


@pytest.mark.parametrize("numbers", parameters("export"))
def test_old_exports_and_fresh_ones_of_old_models_answer_alike(numbers, tmp_path):
    expected = stored(numbers)
    assert_same(measured(numbers, tmp_path), expected)
    model = fixture_of(numbers.parents[1] / "model" / numbers.name)
    vae_tf.load(model).export(tmp_path / "fresh" / "1", score_samples=5)
    assert_same(of_export(tmp_path / "fresh", expected, tmp_path), expected)
