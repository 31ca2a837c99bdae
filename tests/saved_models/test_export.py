import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_tf
from vae_tf.inference.batch import Batch
from vae_tf.inference.elbo import elbo_terms
from vae_tf.saved_models.export import export
from vae_tf.utils.errors import InputError
from vae_tf.utils.seeds import as_seed, fold_in

SHAPE = (8, 8, 1)
MODELS = {
    "mlp": {"preset": "mlp", "hidden": (8,)},
    "conv": {"preset": "conv", "filters": (4, 4)},
    "conv-deep": {"preset": "conv-deep", "filters": (4,), "blocks": 1},
    "full_covariance": {"preset": "mlp", "hidden": (8,), "posterior": "full_covariance"},
    "gaussian_mixture": {"preset": "mlp", "hidden": (8,), "prior": "gaussian_mixture"},
    "vamp": {"preset": "mlp", "hidden": (8,), "prior": "vamp"},
    "8-bit": {"preset": "mlp", "hidden": (8,), "likelihood": "discretized_logistic"},
    "normal": {"preset": "mlp", "hidden": (8,), "likelihood": "normal"},
}
SEEDS = np.array([3, -1, 2**40, 0], np.int64)


def make(preset, **options):
    return vae_tf.presets.create(preset, SHAPE, 3, seed=1, **options)


@pytest.fixture(scope="module", params=MODELS)
def exported(request, tmp_path_factory):
    vae = make(**MODELS[request.param])
    path = export(vae, tmp_path_factory.mktemp("model") / "1", score_samples=5)
    return vae, tf.saved_model.load(path).signatures


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    vae = make("mlp", hidden=(8,))
    return vae, export(vae, tmp_path_factory.mktemp("models") / "1", score_samples=5)


def images(n):
    return tf.constant(np.random.default_rng(0).integers(0, 2, (n, *SHAPE)), tf.float32)


def test_signatures_are_the_model(exported):
    vae, signatures = exported
    x, seeds = images(4), tf.constant(SEEDS)
    assert set(signatures) == {
        "encode",
        "decode",
        "sample",
        "reconstruct",
        "score",
        "serving_default",
    }
    close = {"rtol": 1e-4, "atol": 1e-5}

    q = vae.encode(x)
    encoded = signatures["encode"](x=x)
    np.testing.assert_allclose(encoded["mean"], q.mean(), **close)
    np.testing.assert_allclose(encoded["stddev"], q.stddev(), **close)
    expected = vae.likelihood.point_estimate(vae.decode(encoded["mean"]))
    np.testing.assert_allclose(signatures["decode"](z=encoded["mean"])["x"], expected, **close)
    for name in ("reconstruct", "serving_default"):
        np.testing.assert_allclose(signatures[name](x=x)["x"], vae.reconstruct(x), **close)

    sampled = signatures["sample"](seed=seeds)
    scored = signatures["score"](x=x, seed=seeds)
    for row, seed in enumerate(SEEDS.tolist()):
        x_row, z_row = vae.sample(1, seed=seed, return_latents=True)
        np.testing.assert_allclose(sampled["z"][row], z_row[0], **close)
        np.testing.assert_allclose(sampled["x"][row], x_row[0], **close)
        log_prob = vae.log_prob(x[row : row + 1], 5, seed=seed)
        np.testing.assert_allclose(scored["log_prob"][row], log_prob[0], rtol=1e-4)
        trace = vae.infer(Batch(x[row : row + 1]), 5, seed=fold_in(as_seed(seed), 0))
        np.testing.assert_allclose(scored["elbo"][row], elbo_terms(trace).elbo[0], rtol=1e-4)

    for function in signatures.values():
        for tensor in function.structured_outputs.values():
            assert tensor.shape[0] is None
            assert tensor.dtype == tf.float32


def test_rows_do_not_depend_on_their_neighbours(exported):
    _, signatures = exported
    x, seeds = images(4), tf.constant(SEEDS)
    calls = {
        "encode": {"x": x},
        "decode": {"z": tf.random.stateless_normal([4, 3], as_seed(0))},
        "sample": {"seed": seeds},
        "reconstruct": {"x": x},
        "score": {"x": x, "seed": seeds},
    }
    for name, inputs in calls.items():
        together = signatures[name](**inputs)
        alone = signatures[name](**{key: value[2:3] for key, value in inputs.items()})
        for key in together:
            np.testing.assert_allclose(together[key][2:3], alone[key], rtol=1e-5, atol=1e-6)
    # The draws themselves are the same to the last bit.
    z = signatures["sample"](seed=seeds[::-1])["z"]
    np.testing.assert_array_equal(z[::-1], signatures["sample"](seed=seeds)["z"])


def test_mixed_precision_answers_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    vae = make("mlp", hidden=(8,))
    signatures = tf.saved_model.load(export(vae, tmp_path / "1")).signatures
    assert signatures["reconstruct"](x=images(2))["x"].dtype == tf.float32
    np.testing.assert_allclose(
        signatures["encode"](x=images(2))["mean"], vae.encode(images(2)).mean(), atol=1e-2
    )


def test_a_graph_that_runs_anywhere(mlp):
    _, path = mlp
    # What TensorFlow Serving reads, through the loader of TensorFlow 1.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        signature = meta.signature_def["sample"]
        assert signature.inputs["seed"].dtype == tf.int64.as_datatype_enum
        assert sorted(signature.outputs) == ["x", "z"]
        names = [signature.outputs[key].name for key in ("x", "z")]
        x, z = session.run(names, {signature.inputs["seed"].name: [1, 2]})
        assert (x.shape, z.shape) == ((2, *SHAPE), (2, 3))
    # TensorFlow's own functions, which write and read the variables, run on the CPU.
    functions = meta.graph_def.library.function
    computing = [f for f in functions if "__inference__traced_" not in f.signature.name]
    assert len(computing) >= 6
    nodes = [node for function in computing for node in function.node_def]
    assert not {node.device for node in nodes if node.device}
    assert {node.device for node in meta.graph_def.node} <= {"", "/device:CPU:0"}
    assert not {node.op for node in nodes if "PyFunc" in node.op}


def test_a_fresh_process_samples_the_same(mlp):
    vae, path = mlp
    code = f"""
import json, sys
import tensorflow as tf
model = tf.saved_model.load({str(path)!r})
z = model.signatures["sample"](seed=tf.constant([7, 8], tf.int64))["z"]
assert not any(name.startswith("vae_tf") for name in sys.modules)
print(json.dumps(z.numpy().tolist()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
    _, expected = vae.sample(1, seed=8, return_latents=True)
    np.testing.assert_allclose(json.loads(done.stdout)[1], expected[0], rtol=1e-6)


def test_an_existing_path_is_refused(mlp, tmp_path):
    vae, path = mlp
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match="exists already"):
        export(vae, path)
    assert export(vae, path.parent, score_samples=1).name == "2"
    assert export(vae, path.parent, score_samples=1).name == "3"
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"directory|exists"):
        export(vae, tmp_path / "file" / "1")


def test_a_failure_leaves_nothing(mlp, tmp_path, monkeypatch):
    vae, _ = mlp

    def full(module, path, signatures):
        tf.io.gfile.makedirs(path)
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match="No space left"):
        export(vae, tmp_path / "1")
    assert not list(tmp_path.iterdir())


def test_moments_without_a_closed_form_come_from_draws(tmp_path, monkeypatch):
    vae = make("mlp", hidden=(8,))
    exact = vae.encode(images(4)).stddev()
    distribution = type(vae.posterior.distribution(tf.zeros([1, 6])))

    def no_stddev(self, *args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr(distribution, "stddev", no_stddev)
    signatures = tf.saved_model.load(export(vae, tmp_path / "1")).signatures
    drawn = signatures["encode"](x=images(4))
    # 256 draws: the standard deviation is off by 4 %, one standard error.
    np.testing.assert_allclose(drawn["stddev"], exact, rtol=0.25)
    np.testing.assert_allclose(drawn["stddev"], vae.moments(images(4))["z"].stddev, rtol=1e-4)
    alone = signatures["encode"](x=images(4)[2:3])
    np.testing.assert_allclose(drawn["mean"][2:3], alone["mean"], rtol=1e-5)
