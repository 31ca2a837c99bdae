"""The model as Keras users meet it."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_tf
from tests.small_vae import binary_images, small_vae
from vae_tf.layers import (
    IndependentBernoulli,
    IndependentNormal,
    MultivariateNormalTriL,
    OneHotCategorical,
)
from vae_tf.objectives import ELBO, IWAE, BetaTC, Linear
from vae_tf.priors import StandardNormal
from vae_tf.utils.errors import InputError

X = binary_images()
KEYS = {"loss", "elbo", "log_likelihood", "kl"}


@pytest.fixture
def precision(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


# fit, evaluate, predict


def test_fit_learns_and_logs_the_elbo_in_nats():
    vae = small_vae(latent_dim=6)
    vae.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    history = vae.fit(X, batch_size=32, epochs=40, validation_split=0.2, verbose=0).history
    assert set(history) == KEYS | {f"val_{key}" for key in KEYS}
    np.testing.assert_allclose(history["loss"], np.negative(history["elbo"]), rtol=1e-5)
    np.testing.assert_allclose(
        np.subtract(history["log_likelihood"], history["kl"]), history["elbo"], rtol=1e-5
    )
    # Sixteen fair pixels in rows of four: log p(x) = -4 log 2 at best, -16 log 2 knowing nothing.
    assert -4 * np.log(2) - 5 < history["val_elbo"][-1] < -4 * np.log(2) + 0.1
    assert history["val_elbo"][0] < -10


def test_evaluate_repeats_and_agrees_with_elbo():
    vae = small_vae()
    vae.compile(jit_compile=False)
    first = vae.evaluate(X, verbose=0, return_dict=True)
    assert first == vae.evaluate(X, verbose=0, return_dict=True)
    terms = [vae.elbo(X, seed=seed) for seed in range(40)]
    assert first["elbo"] == pytest.approx(np.mean([t.elbo for t in terms]), rel=0.03)
    assert first["kl"] == pytest.approx(float(tf.reduce_mean(terms[0].kl)), rel=1e-4)


@pytest.mark.parametrize(
    "dataset",
    [
        pytest.param(lambda d: d, id="x"),
        pytest.param(lambda d: d.map(lambda x: (x,)), id="(x,)"),
        pytest.param(lambda d: d.map(lambda x: (x, tf.zeros(tf.shape(x)[0]))), id="(x, y)"),
        pytest.param(
            lambda d: d.map(lambda x: (x, tf.zeros(tf.shape(x)[0]), tf.ones(tf.shape(x)[0]))),
            id="(x, y, sample_weight)",
        ),
    ],
)
def test_datasets_of_every_form_train_the_same(dataset):
    batches = tf.data.Dataset.from_tensor_slices(X).batch(50)
    vae = small_vae()
    vae.compile(jit_compile=False)
    plain = vae.fit(X, batch_size=50, shuffle=False, epochs=2, verbose=0).history
    other = small_vae()
    other.compile(jit_compile=False)
    history = other.fit(dataset(batches), epochs=2, verbose=0, validation_data=batches).history
    for key in KEYS:
        np.testing.assert_allclose(history[key], plain[key], rtol=1e-5)


def test_sample_weights_of_zero_leave_examples_out():
    junk = 1 - X[:100]
    weights = np.r_[np.ones(100), np.zeros(100)]
    vaes = small_vae(), small_vae()
    for vae in vaes:
        vae.compile(keras.optimizers.SGD(0.01), jit_compile=False)
    # Twice as many examples of which half weigh nothing: half the mean, as everywhere in Keras.
    weighted = vaes[0].evaluate(
        np.r_[X[:100], junk], sample_weight=weights, batch_size=200, return_dict=True, verbose=0
    )
    x_all = np.r_[X[:100], X[:100]]
    plain = vaes[1].evaluate(
        x_all, sample_weight=weights, batch_size=200, return_dict=True, verbose=0
    )
    assert weighted["elbo"] == pytest.approx(plain["elbo"], rel=1e-6)
    assert weighted["loss"] == pytest.approx(-weighted["elbo"] / 2, rel=1e-5)
    for vae, x in zip(vaes, (np.r_[X[:100], junk], x_all), strict=True):
        vae.fit(x, sample_weight=weights, batch_size=200, shuffle=False, verbose=0)
    for a, b in zip(vaes[0].trainable_weights, vaes[1].trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)


def test_predict_is_reconstruct_and_callbacks_are_called():
    vae = small_vae()
    vae.compile(steps_per_execution=1, jit_compile=False)
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs)
    )
    vae.fit(X, batch_size=50, verbose=0, callbacks=[callback, keras.callbacks.TerminateOnNaN()])
    assert [set(logs) for logs in seen] == [KEYS] * 4
    np.testing.assert_allclose(vae.predict(X, verbose=0), vae.reconstruct(X), atol=1e-6)


def test_the_networks_regularisers_join_the_loss():
    encoder = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(6, kernel_regularizer=keras.regularizers.L2(0.1)),
        ]
    )
    vae = small_vae(encoder=encoder)
    vae.compile(jit_compile=False)
    result = vae.evaluate(X, verbose=0, return_dict=True)
    penalty = 0.1 * np.sum(encoder.layers[-1].kernel.numpy() ** 2)
    assert result["loss"] == pytest.approx(penalty - result["elbo"], rel=1e-5)


@pytest.mark.parametrize(
    "objective", [ELBO(beta=5.0), ELBO(free_bits=1.0), IWAE(5), BetaTC(200)], ids=repr
)
def test_reported_terms_do_not_depend_on_the_objective(objective):
    plain, other = small_vae(), small_vae()
    plain.compile(jit_compile=False)
    other.compile(objective=objective, jit_compile=False)
    expected = plain.evaluate(X, verbose=0, return_dict=True)
    found = other.evaluate(X, verbose=0, return_dict=True)
    # IWAE averages five draws where the others take one.
    tolerance = 0.05 if isinstance(objective, IWAE) else 1e-5
    for key in ("elbo", "log_likelihood", "kl"):
        assert found[key] == pytest.approx(expected[key], rel=tolerance)
    assert found["loss"] != pytest.approx(expected["loss"], rel=1e-3)


def test_a_schedule_is_logged_and_its_length_is_checked():
    vae = small_vae()
    vae.compile(objective=ELBO(beta=Linear(8)), jit_compile=False)
    history = vae.fit(X, batch_size=50, epochs=3, verbose=0).history
    np.testing.assert_allclose(history["beta"], [1.5 / 8, 5.5 / 8, 1.0])
    vae.compile(objective=ELBO(beta=Linear(100)), jit_compile=False)
    with pytest.warns(UserWarning, match=r"takes 100 steps, but training ends at step 16"):
        vae.fit(X, batch_size=50, epochs=1, verbose=0)


# eager, graph, XLA, precision, replicas


@pytest.mark.parametrize("objective", [ELBO(), IWAE(3, True), BetaTC(200)], ids=repr)
def test_eager_graph_and_xla_train_alike(objective):
    results = []
    for how in ({"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}):
        vae = small_vae()
        vae.compile(keras.optimizers.SGD(0.01), objective, **how)
        history = vae.fit(X, batch_size=64, epochs=2, shuffle=False, verbose=0).history
        results.append((history["loss"], vae.get_weights()))
    for loss, weights in results[1:]:
        np.testing.assert_allclose(loss, results[0][0], rtol=1e-4)
        for a, b in zip(weights, results[0][1], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_full_covariance_trains_under_xla():
    posterior = MultivariateNormalTriL(3)
    encoder = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(posterior.params_size)]
    )
    vae = small_vae(encoder=encoder, posterior=posterior)
    vae.compile(keras.optimizers.Adam(0.02), jit_compile=True)
    history = vae.fit(X, batch_size=32, epochs=10, verbose=0).history
    assert history["elbo"][-1] > history["elbo"][0] + 1


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"], indirect=True)
@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_half_precision_trains_with_densities_in_float32(precision, jit_compile, tmp_path):
    vae = small_vae()
    assert vae.encode(X).dtype == tf.float32
    assert vae.decode(np.zeros([1, 3], "float32")).log_prob(X[:1]).dtype == tf.float32
    assert vae.encoder.compute_dtype == precision.removeprefix("mixed_")
    vae.compile(keras.optimizers.Adam(0.02), jit_compile=jit_compile)
    is_scaled = isinstance(vae.optimizer, keras.optimizers.LossScaleOptimizer)
    assert is_scaled == (precision == "mixed_float16")
    history = vae.fit(X, batch_size=32, epochs=20, verbose=0).history
    assert history["elbo"][-1] > -9
    vae.save(tmp_path / "m.keras")
    again = vae_tf.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), vae.predict(X, verbose=0))


@pytest.mark.slow
def test_two_replicas_take_the_step_of_one(tmp_path):
    """In a process of its own, because the number of devices is fixed at start-up."""
    script = """
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.small_vae import binary_images, small_vae
x = binary_images(64)
def after(strategy):
    with strategy.scope():
        vae = small_vae()
        vae.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    start = [w.numpy().copy() for w in vae.trainable_weights]
    data = tf.data.Dataset.from_tensor_slices(x).batch(64)
    history = vae.fit(data, epochs=3, verbose=0).history
    assert vae.step.numpy() == 3, vae.step.numpy()
    moves = np.concatenate([(w.numpy() - s).ravel() for w, s in zip(vae.trainable_weights, start)])
    return moves, history["elbo"]
one, elbo_one = after(tf.distribute.get_strategy())
two, elbo_two = after(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
# Each replica draws its own z, so the steps are alike in length and direction, not equal.
ratio = np.linalg.norm(two) / np.linalg.norm(one)
cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
assert 0.9 < ratio < 1.1, ratio
assert cosine > 0.9, cosine
np.testing.assert_allclose(elbo_one, elbo_two, rtol=0.05)
print("alike")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert "alike" in done.stdout, done.stderr[-2000:]


# densities


def test_densities_have_the_promised_shapes():
    vae = small_vae(latent_dim=3)
    q_z_given_x, p_z = vae.encode(X), vae.p_z()
    assert (q_z_given_x.batch_shape, q_z_given_x.event_shape) == ([200], [3])
    assert (p_z.batch_shape, p_z.event_shape) == ([], [3])
    p_x_given_z = vae.decode(q_z_given_x.sample(5))
    assert (p_x_given_z.batch_shape, p_x_given_z.event_shape) == ([5, 200], [4, 4, 1])
    x, z = vae.sample(7, seed=1, return_latents=True)
    assert x.shape == (7, 4, 4, 1)
    np.testing.assert_allclose(x, vae.decode(z).mean())
    assert [t.shape for t in vae.elbo(X)] == [(200,)] * 3
    assert vae.log_prob(X, num_samples=3).shape == (200,)


def test_a_seed_decides_every_draw_and_nothing_global():
    vae = small_vae()
    draws = {
        "sample": lambda seed: vae.sample(5, seed=seed),
        "reconstruct": lambda seed: vae.reconstruct(X[:5], seed=seed),
        "elbo": lambda seed: vae.elbo(X[:5], seed=seed).elbo,
        "log_prob": lambda seed: vae.log_prob(X[:5], num_samples=4, seed=seed),
    }
    for name, draw in draws.items():
        tf.random.set_seed(0)
        generator = tf.random.get_global_generator().state.numpy().copy()
        np.testing.assert_array_equal(draw(3), draw(3), err_msg=name)
        np.testing.assert_array_equal(tf.random.get_global_generator().state.numpy(), generator)
        np.testing.assert_array_equal(draw(tf.constant([3, 0])), draw(3), err_msg=name)
        assert not np.allclose(draw(3), draw(4)), name
        if name != "reconstruct":  # which takes the mean where it has no seed
            assert not np.allclose(draw(None), draw(None)), name
    assert np.allclose(vae.reconstruct(X[:5]), vae.reconstruct(X[:5]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_in_another_process():
    script = """
from tests.small_vae import small_vae
print(*small_vae().sample(2, seed=11).numpy().ravel().tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    there = np.array(done.stdout.split(), float)
    np.testing.assert_allclose(there, small_vae().sample(2, seed=11).numpy().ravel(), rtol=1e-6)


# saving


def test_the_keras_file_holds_model_optimizer_objective_and_place(tmp_path):
    vae = small_vae()
    vae.compile(
        keras.optimizers.Adam(0.01),
        ELBO(beta=Linear(9), samples=2),
        steps_per_execution=3,
        jit_compile=False,
    )
    batches = tf.data.Dataset.from_tensor_slices(X).batch(50)
    vae.fit(batches, epochs=3, verbose=0)
    vae.save(tmp_path / "m.keras")
    again = vae_tf.load(tmp_path / "m.keras")
    assert again.objective == vae.objective
    assert again.steps_per_execution == 3
    assert int(again.step) == int(again.optimizer.iterations) == 12
    np.testing.assert_array_equal(again.predict(X, verbose=0), vae.predict(X, verbose=0))
    # It goes on as if it had not stopped.
    for model in (vae, again):
        model.fit(batches, epochs=2, verbose=0)
    for a, b in zip(vae.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_is_loaded_with_its_weights_even_if_it_was_never_called(tmp_path):
    vae = small_vae()
    vae.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert [w.shape for w in again.weights] == [w.shape for w in vae.weights]
    np.testing.assert_array_equal(again.sample(3, seed=0), vae.sample(3, seed=0))


def test_load_refuses_what_is_no_vae(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "dense.keras")
    with pytest.raises(InputError, match=r"holds a Sequential, not a vae_tf\.VAE"):
        vae_tf.load(tmp_path / "dense.keras")
    with pytest.raises(InputError, match="There is no model file"):
        vae_tf.load(tmp_path / "none.keras")
    small_vae().save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"is not a whole .keras file"):
        vae_tf.load(tmp_path / "cut.keras")


# what it says


def test_summary_names_the_parts_and_their_shapes():
    lines = []
    small_vae().summary(print_fn=lines.append)
    text = "\n".join(lines)
    for part in ("encoder", "posterior", "decoder", "likelihood", "prior"):
        assert part in text
    for detail in ("x (4, 4, 1) -> (6,)", "q(z|x) (3,)", "IndependentBernoulli", "StandardNormal"):
        assert detail in text
    assert "Trainable weights: 710" in text


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: small_vae(
                decoder=keras.Sequential([keras.Input((3,)), keras.layers.Dense(15)])
            ),
            r"The decoder gives outputs of shape \(15,\), but IndependentBernoulli.*needs \(16,\)",
        ),
        (
            lambda: small_vae(posterior=IndependentNormal([4])),
            r"The encoder gives outputs of shape \(6,\), but IndependentNormal.*needs \(8,\)",
        ),
        (
            lambda: small_vae(prior=StandardNormal(5)),
            "The posterior has 3 latent dimensions and the prior 5",
        ),
        (
            lambda: small_vae(likelihood=IndependentBernoulli([5, 5, 1])),
            r"The encoder takes inputs of shape \(4, 4, 1\), but one event has shape \(5, 5, 1\)",
        ),
        (lambda: small_vae(prior="normal"), "prior is one of vae_tf.priors"),
        (
            lambda: small_vae(likelihood=keras.layers.Dense(2)),
            "likelihood is a layer of vae_tf.layers",
        ),
    ],
)
def test_parts_that_do_not_fit_get_one_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_an_objective_refuses_a_posterior_without_a_gradient():
    vae = small_vae(
        posterior=OneHotCategorical(6),
        decoder=keras.Sequential([keras.Input((6,)), keras.layers.Dense(16)]),
    )
    with pytest.raises(InputError, match="OneHotCategorical cannot be the posterior"):
        vae.compile("adam", ELBO())


def _with_nan() -> np.ndarray:
    x = X.copy()
    x[150, 2, 1, 0] = np.nan
    return x


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (X[0], r"has shape \(4, 4, 1\), expected \[batch, 4, 4, 1\]; add the batch axis"),
        (X[..., 0], r"has shape \(200, 4, 4\), expected \[batch, 4, 4, 1\]; reshape the data"),
        (X[:0], "is (an )?empty"),
        (_with_nan(), "has values from nan to nan, where IndependentBernoulli needs finite values"),
        (X * 255, r"has values from 0 to 255, where IndependentBernoulli needs .* in \[0, 1\]"),
    ],
    ids=["no batch axis", "wrong rank", "empty", "nan", "0 to 255"],
)
def test_bad_data_gets_one_sentence_and_does_no_harm(method, data, sentence):
    vae = small_vae()
    vae.compile(jit_compile=False)
    before = vae.get_weights()
    with pytest.raises(InputError, match=sentence):
        getattr(vae, method)(data, verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(50)
    if data.ndim == 4:
        with pytest.raises(InputError, match=sentence):
            getattr(vae, method)(dataset, verbose=0)
    if np.isnan(data).any():
        return  # the batches before the one with the NaN were good
    for a, b in zip(vae.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_misuse_gets_one_sentence():
    vae = small_vae()
    with pytest.raises(InputError, match="not compiled"):
        vae.fit(X)
    with pytest.raises(InputError, match="Unknown objective 'elob'"):
        vae.compile(objective="elob")
    with pytest.raises(InputError, match=r"z has shape \(2, 4\), expected \[batch, 3\]"):
        vae.decode(np.zeros([2, 4]))
    with pytest.raises(InputError, match=r"add the batch axis"):
        vae.encode(X[0])
    with pytest.raises(InputError, match="A seed is an int"):
        vae.sample(3, seed=1.5)
    with pytest.raises(InputError, match="samples is an int of at least 1; got 0"):
        vae.log_prob(X, num_samples=0)
    vae.compile(jit_compile=False)
    never = tf.data.Dataset.from_tensor_slices(X).batch(8).filter(lambda x: False)
    with (
        pytest.warns(UserWarning, match="ran out of data"),
        pytest.raises(InputError, match="gave no batch"),
    ):
        vae.fit(never, verbose=0)
