import pytest
from tensorflow_serving.apis.model_pb2 import ModelSpec

from vae_tf_serving.grpc_api.model_spec import resolve
from vae_tf_serving.status import Code, StatusError


class Manager:
    def servable_handle(self, name, version=None, label=None):
        return name, version, label


@pytest.mark.parametrize(
    ("choice", "version", "label"),
    [
        ({}, None, None),
        ({"version": {"value": 1}}, 1, None),
        ({"version": {}}, 0, None),
        ({"version_label": "old"}, None, "old"),
        ({"version_label": ""}, None, ""),
    ],
)
def test_version_and_label(choice, version, label):
    spec = ModelSpec(name="m", **choice)
    assert resolve(Manager(), spec) == ("m", version, label)


@pytest.mark.parametrize(
    ("spec", "message"),
    [(None, "Missing ModelSpec"), (ModelSpec(), "ModelSpec has no name specified.")],
)
def test_no_model(spec, message):
    with pytest.raises(StatusError) as caught:
        resolve(Manager(), spec)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)
