"""The parts of the KL that BetaTC logs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import norm

from vae_tf import VAE
from vae_tf.evaluation import kl_decomposition
from vae_tf.inference.batch import Batch
from vae_tf.layers import HomoscedasticNormal, IndependentNormal
from vae_tf.layers.base import MIN_SCALE
from vae_tf.objectives import BetaTC
from vae_tf.utils.seeds import as_seed

SCALE, N = 0.4, 2000
CODES = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], N)
PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")
# Mean over batches, less the part for all examples: batch size -> nats, as in docs/objectives.md.
DOCUMENTED = {16: (0.28, -0.09, -0.25), 64: (0.01, -0.03, -0.06), 256: (-0.01, -0.01, -0.01)}


def coder() -> VAE:
    """q(z|x) = N(x, 0.4²)."""
    encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    raw_scale = np.full(2, np.log(np.expm1(SCALE - MIN_SCALE)))
    encoder.set_weights([np.eye(2, 4), np.r_[0, 0, raw_scale]])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    return VAE(encoder, IndependentNormal([2]), decoder, HomoscedasticNormal([2]), seed=0)


def result(x, seed=0, weight=None, size=N):
    batch = Batch(tf.constant(x, tf.float32), weight=weight)
    return BetaTC(size).call(coder(), batch, step=tf.constant(0), seed=as_seed(seed))


@pytest.mark.parametrize("weight", [None, [1.0, 0.0, 2.0, 1.0, 0.5]])
def test_logged_parts_are_those_of_the_stratified_estimator(weight):
    x, w = CODES[:5], np.ones(5) if weight is None else np.array(weight)
    vae = coder()
    z = vae.infer(Batch(tf.constant(x, tf.float32)), seed=as_seed(0)).z["z"][0].numpy()
    log_q = norm.logpdf(z[:, None].astype(np.float64), x[None], SCALE)  # [i, j, D]
    log_p, own = norm.logpdf(z).sum(axis=1), log_q[np.arange(5), np.arange(5)].sum(axis=1)
    log_share = np.full([5, 5], np.log(1 / N))
    for i in range(5):
        for j in set(range(5)) - {i}:
            with np.errstate(divide="ignore"):
                log_share[i, j] = np.log((N - 1) / N * w[j] / (w.sum() - w[i]))
    log_q_z = logsumexp(log_q.sum(axis=2) + log_share, axis=1)
    log_q_z_d = logsumexp(log_q + log_share[..., None], axis=1).sum(axis=1)
    expected = own - log_q_z, log_q_z - log_q_z_d, log_q_z_d - log_p
    found = result(x, weight=weight).logs
    for part, value in zip(PARTS, expected, strict=True):
        np.testing.assert_allclose(found[part], value, rtol=1e-4, atol=1e-4)


def test_an_example_without_weight_does_not_touch_the_others():
    weight, other = [1.0, 1.0, 1.0, 0.0], np.r_[CODES[:3], [[50.0, -50.0]]]
    before, after = (result(x, weight=weight).logs for x in (CODES[:4], other))
    for part in PARTS:
        np.testing.assert_allclose(after[part][:3], before[part][:3], rtol=1e-5)


def test_a_batch_of_one_is_all_there_is():
    logs = result(CODES[:1]).logs
    np.testing.assert_allclose(logs["mutual_information"], [0], atol=1e-5)
    np.testing.assert_allclose(logs["total_correlation"], [0], atol=1e-5)


def test_logged_parts_approach_those_of_the_data_set_with_the_batch():
    whole = kl_decomposition(coder(), CODES)
    off = {}
    for size in (16, 64, 256, N):
        parts = [
            [float(tf.reduce_mean(value)) for value in result(x, seed=i).logs.values()]
            for i, x in enumerate(np.split(CODES[: N // size * size], N // size))
        ]
        off[size] = np.mean(parts, axis=0) - [getattr(whole, part) for part in PARTS]
    for size, documented in DOCUMENTED.items():
        np.testing.assert_allclose(off[size], documented, atol=0.02)
    np.testing.assert_allclose(off[N], 0, atol=0.1)  # two sets of draws, of 0.03 nats each
