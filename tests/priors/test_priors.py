"""Priors: densities by hand, weights, gradients, files, errors."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats
from tensorflow_probability import distributions as tfd

from tests.harness import check_compiled, check_config, check_determinism, normal_params
from vae_tf.layers import IndependentNormal
from vae_tf.priors import GaussianMixture, StandardNormal, VampPrior
from vae_tf.priors.base import Prior
from vae_tf.utils.errors import InputError

D, EVENT = 3, (2, 2)


class Encoder:
    """x -> q(z|x), with a weight."""

    def __init__(self, latent_dim: int = D) -> None:
        self.kernel = tf.Variable(normal_params(4, 2 * latent_dim))
        self.posterior = IndependentNormal(latent_dim)

    def __call__(self, x: tf.Tensor) -> tfd.Distribution:
        return self.posterior.distribution(tf.matmul(tf.reshape(x, [-1, 4]), self.kernel))


ENCODE = Encoder()
PRIORS = {
    "StandardNormal": lambda **kwargs: StandardNormal(D, **kwargs),
    "GaussianMixture": lambda **kwargs: GaussianMixture(D, 4, **kwargs),
    "VampPrior": lambda **kwargs: VampPrior(D, EVENT, 5, **kwargs),
}
each_prior = pytest.mark.parametrize("make", PRIORS.values(), ids=PRIORS)


@each_prior
def test_prior(make: Any, tmp_path: Any) -> None:
    prior: Prior = make()
    z = normal_params(2, 7, D)
    distribution = prior.distribution(ENCODE)
    assert (distribution.batch_shape, distribution.event_shape) == ((), (D,))
    assert distribution.log_prob(z).shape == (2, 7)
    assert distribution.sample(6, seed=(1, 2)).shape == (6, D)
    assert distribution.mean().shape == (D,)
    check_config(prior, lambda made: made.distribution(ENCODE).log_prob(z))
    check_determinism(lambda seed: distribution.sample(6, seed=tf.zeros([2], tf.int32) + seed))
    check_compiled(lambda z: [prior.distribution(ENCODE).log_prob(z)], z)
    again: Prior = make()
    np.testing.assert_array_equal(
        again.distribution(ENCODE).log_prob(z), distribution.log_prob(z)
    )  # the initial weights are reproducible

    variables = [*prior.trainable_weights]
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(prior.distribution(ENCODE).log_prob(z))
    for gradient in tape.gradient(loss, variables):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@each_prior
def test_prior_is_saved_inside_a_model_that_never_calls_it(make: Any, tmp_path: Any) -> None:
    @keras.saving.register_keras_serializable(package="tests", name="Holder")
    class Holder(keras.Model):
        def __init__(self, prior: Prior, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.prior = prior
            self.built = True

        def call(self, z: tf.Tensor) -> tf.Tensor:
            return self.prior.distribution(ENCODE).log_prob(z)

        def get_config(self) -> dict:
            return {"prior": keras.saving.serialize_keras_object(self.prior)}

        @classmethod
        def from_config(cls, config: dict, **kwargs: Any) -> "Holder":
            return cls(keras.saving.deserialize_keras_object(config["prior"]))

    model = Holder(make())
    for weight in model.weights:
        weight.assign_add(0.1 * normal_params(*weight.shape))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    z = normal_params(7, D)
    np.testing.assert_array_equal(loaded(z), model(z))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@each_prior
def test_prior_is_float32_inside_a_half_precision_model(make: Any, policy: str) -> None:
    expected = make().distribution(ENCODE).log_prob(normal_params(7, D))
    keras.config.set_dtype_policy(policy)

    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.prior = make()

        def call(self, z: tf.Tensor) -> tf.Tensor:
            return self.prior.distribution(ENCODE).log_prob(normal_params(7, D))

    np.testing.assert_array_equal(Outer()(tf.zeros([1])), expected)


@pytest.mark.parametrize("make", [PRIORS["StandardNormal"], PRIORS["GaussianMixture"]])
def test_float64(make: Any) -> None:
    log_prob = make(dtype="float64").distribution().log_prob(normal_params(7, D, dtype="float64"))
    assert log_prob.dtype == tf.float64


def test_gaussian_mixture_is_its_logsumexp() -> None:
    prior = GaussianMixture(D, 4, dtype="float64")
    for weight in prior.weights:
        weight.assign_add(normal_params(*weight.shape, dtype="float64"))
    z = normal_params(7, D, seed=3, dtype="float64").numpy()
    weights = special.log_softmax(prior.logits.numpy())
    scale = np.logaddexp(0, prior.raw_scale.numpy()) + 1e-5
    log_probs = stats.norm(prior.loc.numpy(), scale).logpdf(z[:, np.newaxis]).sum(axis=-1)
    expected = special.logsumexp(weights + log_probs, axis=1)
    np.testing.assert_allclose(prior.distribution().log_prob(z), expected)


def test_gaussian_mixture_starts_spread() -> None:
    prior = GaussianMixture(2, 200)
    np.testing.assert_allclose(prior.distribution().components_distribution.stddev(), 1, rtol=1e-6)
    np.testing.assert_allclose(np.std(prior.loc.numpy(), axis=0), 1, atol=0.15)
    assert np.any(GaussianMixture(2, 200, seed=1).loc.numpy() != prior.loc.numpy())


def test_vamp_prior_is_its_logsumexp() -> None:
    prior = VampPrior(D, EVENT, 5)
    prior.pseudo_inputs.assign(normal_params(5, *EVENT))  # some are outside [0, 1]
    z = normal_params(7, D, seed=3)
    inputs = np.clip(prior.pseudo_inputs.numpy(), 0, 1)
    log_probs = ENCODE(tf.constant(inputs)).log_prob(z[:, tf.newaxis]).numpy()
    expected = special.logsumexp(log_probs, axis=1) - np.log(5)
    np.testing.assert_allclose(prior.distribution(ENCODE).log_prob(z), expected, rtol=1e-5)


def test_vamp_prior_trains_its_pseudo_inputs_and_the_encoder() -> None:
    prior, encode = VampPrior(D, EVENT, 5), Encoder()
    prior.pseudo_inputs.assign(2 * tf.ones([5, *EVENT]))  # outside, but not stuck there
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(prior.distribution(encode).log_prob(normal_params(7, D)))
    for gradient in tape.gradient(loss, [prior.pseudo_inputs, encode.kernel]):
        assert (np.abs(gradient) > 0).all()


def test_vamp_prior_starts_at_data() -> None:
    x = np.random.default_rng(0).uniform(size=(20, *EVENT)).astype("f4")
    priors = [VampPrior(D, EVENT, 5), VampPrior(D, EVENT, 5), VampPrior(D, EVENT, 5, seed=1)]
    for prior in priors:
        prior.initialize(x)
    first, same, other = (prior.pseudo_inputs.numpy() for prior in priors)
    assert len({row.tobytes() for row in first} & {row.tobytes() for row in x}) == 5
    np.testing.assert_array_equal(first, same)
    assert np.any(first != other)


def test_vamp_prior_starts_near_a_mean() -> None:
    for prior, mean in (
        (VampPrior(D, [50, 50], 20), 0.5),
        (VampPrior(D, [50, 50], 20, support=(-np.inf, np.inf)), 0.0),
        (VampPrior(D, [50, 50], 20, mean=0.2), 0.2),
    ):
        np.testing.assert_allclose(np.mean(prior.pseudo_inputs.numpy()), mean, atol=0.01)
        np.testing.assert_allclose(np.std(prior.pseudo_inputs.numpy()), 0.1, atol=0.01)


def test_no_analytic_kl_to_a_mixture() -> None:
    """What `kl="auto"` goes by."""
    posterior = ENCODE(tf.zeros([2, 4]))
    assert tfd.kl_divergence(posterior, StandardNormal(D).distribution()).shape == (2,)
    for prior in (GaussianMixture(D), VampPrior(D, EVENT, 5)):
        with pytest.raises(NotImplementedError):
            tfd.kl_divergence(posterior, prior.distribution(ENCODE))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StandardNormal(0), "latent_dim is an int of at least 1; got 0"),
        (lambda: GaussianMixture(2, 0), "num_components is an int of at least 1; got 0"),
        (lambda: VampPrior(2, 4, support=(1, 0)), "low < high"),
        (lambda: VampPrior(2, 4, support=3), "support is a pair"),
        (lambda: VampPrior(D, EVENT).distribution(), "got no `encode`"),
        (
            lambda: VampPrior(2, EVENT, 5).distribution(ENCODE),
            r"event shape \(2,\), and encode gave \(5,\) and \(3,\)",
        ),
        (
            lambda: VampPrior(D, EVENT, 5).initialize(np.zeros((4, *EVENT))),
            r"at least 5 observations of shape \(2, 2\), got an array of shape \(4, 2, 2\)",
        ),
        (lambda: VampPrior(D, EVENT, 5).initialize(np.zeros((9, 4))), "got an array of shape"),
        (
            lambda: VampPrior(D, EVENT, 5).initialize(np.full((9, *EVENT), 255.0)),
            r"values in \[0, 1\]",
        ),
    ],
)
def test_errors(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
