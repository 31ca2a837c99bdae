import numpy as np
import pytest

from tests.model_harness import check_model
from vae_tf import presets


def images(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, size=(n, 4, 4, 1)).astype("float32")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "mlp")) for name in presets.names()],
)
def test_presets(name, tmp_path):
    sizes = {"mlp": {"hidden": (8,)}, "conv": {"filters": (4,)}, "conv-deep": {"filters": (4,)}}
    check_model(
        lambda: presets.create(name, (4, 4, 1), 3, seed=1, **sizes.get(name, {})), images, tmp_path
    )
