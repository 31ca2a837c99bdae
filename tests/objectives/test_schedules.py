"""Schedules of the KL's weight."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf.objectives import ELBO, IWAE, BetaTC, Constant, Cyclical, Linear, Sigmoid, get
from vae_tf.objectives.objective import Objective
from vae_tf.utils.errors import InputError


def values(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_values_are_those_of_the_docstrings():
    assert values(Constant(2.5), [0, 10**6]) == [2.5, 2.5]
    np.testing.assert_allclose(values(Linear(100), [0, 25, 100, 1000]), [0, 0.25, 1, 1])
    np.testing.assert_allclose(values(Linear(10, 1.0, 4.0), [5, 20]), [2.5, 4])
    cycles = Cyclical(100, cycles=2, ramp=0.5)
    np.testing.assert_allclose(
        values(cycles, [0, 25, 50, 99, 100, 125, 199, 200, 225]), [0, 0.5, 1, 1, 0, 0.5, 1, 1, 1]
    )
    np.testing.assert_allclose(values(Sigmoid(100), [0, 50, 100, 900]), [0, 0.5, 1, 1], atol=1e-7)


@pytest.mark.parametrize("schedule", [Linear(100), Cyclical(100), Sigmoid(100)], ids=repr)
def test_the_warm_up_ends_where_it_says(schedule):
    assert float(schedule(schedule.warm_up_steps)) == pytest.approx(1.0, abs=1e-6)
    assert float(schedule(schedule.warm_up_steps - 1)) < 1


@pytest.mark.parametrize(
    "objective",
    [
        ELBO(),
        ELBO(beta=Linear(10), samples=2, kl="monte_carlo", free_bits=0.1),
        ELBO(beta=Cyclical(5)),
        IWAE(3, doubly_reparameterised=True),
        BetaTC(100, beta=Sigmoid(7)),
    ],
    ids=repr,
)
def test_objectives_survive_their_config(objective):
    copy = type(objective).from_config(objective.get_config())
    assert copy == objective
    assert repr(copy) == repr(objective)
    assert hash(copy) == hash(objective)
    assert isinstance(copy, Objective)
    assert copy != ELBO(beta=0.123)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: ELBO(beta=-1.0), "beta is a number of at least 0"),
        (lambda: ELBO(samples=0), "samples is an int of at least 1; got 0"),
        (lambda: ELBO(kl="exact"), "kl is one of analytic, monte_carlo, auto; got 'exact'"),
        (lambda: ELBO(free_bits=-0.1), "free_bits"),
        (lambda: IWAE(samples=2.5), "samples is an int"),
        (lambda: BetaTC(dataset_size=0), "dataset_size"),
        (lambda: Linear(0), "steps is an int of at least 1; got 0"),
        (lambda: Cyclical(10, ramp=0.0), "ramp"),
        (lambda: Sigmoid(10, steepness=0), "steepness"),
        (lambda: get("elbow"), "Unknown objective 'elbow'; give one of elbo, iwae"),
    ],
)
def test_bad_arguments_get_one_sentence(make, part):
    with pytest.raises(InputError, match=part):
        make()


def test_schedules_work_on_traced_steps():
    for schedule in (Constant(), Linear(10), Cyclical(10), Sigmoid(10)):
        traced = tf.function(schedule.__call__, jit_compile=True)
        step = tf.constant(7, tf.int64)
        np.testing.assert_allclose(traced(step), schedule(step), rtol=1e-6)
