import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

import vae_tf
from vae_tf.saved_models.comparison import compare
from vae_tf.saved_models.export import export
from vae_tf.saved_models.graph_check import check_graph
from vae_tf.saved_models.signatures import SignatureTable
from vae_tf.saved_models.versions import version_directory
from vae_tf.utils.errors import InputError


def make(**options):
    return vae_tf.presets.mlp((2, 2, 1), latent_dim=2, hidden=(4,), seed=1, **options)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    vae = make()
    return vae, export(vae, tmp_path_factory.mktemp("models") / "vae", score_samples=2)


def test_the_next_version(tmp_path):
    model = tmp_path / "model"
    assert version_directory(model) == model / "1"
    for name in ("00000007", "notes", ".8.0a1b2c3d.tmp"):
        (model / name).mkdir(parents=True)
    assert version_directory(model) == model / "8"
    (model / "9").write_text("a file counts")
    assert version_directory(model) == model / "10"
    with pytest.raises(InputError, match="exists already"):
        version_directory(model / "9")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        version_directory(tmp_path / "file")


def test_what_lies_beside_the_graph(exported):
    _, path = exported
    assert path.name == "1"
    extra = path / "assets.extra"
    facts = json.loads((extra / "vae_tf.json").read_text())
    assert facts["row_wise"] is True
    assert (facts["event_shape"], facts["latent_dim"]) == ([2, 2, 1], 2)
    assert facts["value_range"] == [0.0, 1.0]
    assert facts["versions"]["tensorflow"] == tf.__version__
    assert "IndependentBernoulli" in (extra / "model_card.md").read_text()
    records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
    logs = [PredictionLog.FromString(record.numpy()) for record in records]
    names = {log.predict_log.request.model_spec.signature_name for log in logs}
    signatures = tf.saved_model.load(str(path)).signatures
    assert names == set(signatures)
    for log in logs:
        request = log.predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(p)) for name, p in request.inputs.items()}
        signatures[request.model_spec.signature_name](**inputs)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_the_rounded_model(tmp_path, exported, precision):
    vae, whole = exported
    before = [w.numpy() for w in vae.weights]
    path = export(vae, tmp_path / "1", score_samples=2, precision=precision)
    for weight, value in zip(vae.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    x = np.random.default_rng(0).integers(0, 2, (3, 2, 2, 1)).astype("float32")
    mean = tf.saved_model.load(str(path)).signatures["encode"](x=tf.constant(x))["mean"]
    assert mean.dtype == tf.float32
    expected = vae.encode(x).mean()
    assert 0 < np.abs(mean - expected).max() < 0.02

    def size(folder):
        return next(folder.glob("variables/*.data-*")).stat().st_size

    stored = {
        str(dtype)
        for _, dtype in tf.train.load_checkpoint(str(path / "variables/variables"))
        .get_variable_to_dtype_map()
        .items()
    }
    assert f"<dtype: '{precision}'>" in stored
    assert "<dtype: 'float32'>" not in stored
    assert size(path) < size(whole)


def test_weights_beyond_float16(tmp_path):
    vae = make()
    vae.decoder.weights[0].assign(vae.decoder.weights[0] * 0 + 1e6)
    with pytest.raises(InputError, match="cannot hold; export with bfloat16"):
        export(vae, tmp_path / "1", precision="float16")
    with pytest.raises(InputError, match="precision is one of"):
        export(vae, tmp_path / "1", precision="int8")
    assert not list(tmp_path.iterdir())


def test_another_model_is_told_apart(exported):
    vae, path = exported
    compare(SignatureTable(vae, 2), path, half=False)
    other = make()
    other.encoder.weights[0].assign(other.encoder.weights[0] + 0.1)
    with pytest.raises(InputError, match="output 'mean' of the signature 'encode' differs"):
        compare(SignatureTable(other, 2), path, half=False)


@keras.saving.register_keras_serializable(package="tests")
class Noise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


@keras.saving.register_keras_serializable(package="tests")
class BatchMean(keras.layers.Layer):
    def call(self, inputs):
        return inputs - tf.reduce_mean(inputs, axis=0)


@keras.saving.register_keras_serializable(package="tests")
class Python(keras.layers.Layer):
    def call(self, inputs):
        return tf.ensure_shape(tf.py_function(lambda v: v, [inputs], tf.float32), inputs.shape)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Noise, "stateful operation RandomStandardNormal"),
        (Python, "calls Python"),
        (BatchMean, "differs from the (model|same rows)"),
    ],
)
def test_a_layer_that_cannot_be_served(tmp_path, layer, message):
    x = keras.Input((2, 2, 1))
    h = keras.layers.Dense(4)(layer()(keras.layers.Flatten()(x)))
    parts = make()
    vae = vae_tf.VAE(
        keras.Model(x, h), parts.posterior, parts.decoder, parts.likelihood, parts.prior
    )
    with pytest.raises(InputError, match=message):
        export(vae, tmp_path / "1")
    assert not list(tmp_path.iterdir())


def test_devices(tmp_path):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def f(self, x):
            with tf.device("/device:GPU:0"):
                return {"y": tf.exp(x)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"f": module.f})
    with pytest.raises(InputError, match="bound to /device:GPU:0"):
        check_graph(tmp_path / "1")
