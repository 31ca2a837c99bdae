import pytest

from tests.serving.core.batching.doubler import Doubler


@pytest.fixture
def model():
    return Doubler()
