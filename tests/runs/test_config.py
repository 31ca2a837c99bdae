import dataclasses
from pathlib import Path

import pytest

from vae_tf.runs import TrainingConfig
from vae_tf.utils.errors import InputError

EVERYTHING = TrainingConfig(
    dataset="mnist",
    binarize="dynamic",
    image_size=(32, 24),
    hidden=(256, 128),
    activation="relu",
    likelihood="bernoulli",
    objective="elbo",
    beta=4.0,
    samples=2,
    free_bits=0.5,
    warm_up="linear",
    warm_up_epochs=5,
    seed=2**40,
    precision="mixed_bfloat16",
)


@pytest.mark.parametrize("config", [TrainingConfig(), EVERYTHING])
def test_json_round_trip(config):
    revived = TrainingConfig.from_json(config.to_json())
    assert revived == config
    assert not revived.differences(config)


def test_values_take_the_type_of_their_field():
    config = TrainingConfig(dataset=Path("a/b"), learning_rate=1, hidden=[3, 4], beta=2)
    assert (config.dataset, config.learning_rate, config.hidden, config.beta) == (
        "a/b",
        1.0,
        (3, 4),
        2.0,
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epochs": 0}, "epochs is an int of at least 1; got 0"),
        ({"epochs": 2.5}, "epochs is 2.5, expected int"),
        ({"seed": True}, "seed is True"),
        ({"hidden": (16, 0)}, "hidden"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"precision": "float16"}, "mixed_float16"),
        ({"objective": "elob"}, "one of elbo, iwae, beta_tc"),
        ({"objective": "iwae", "free_bits": 1.0}, "leave it out, or choose elbo"),
        ({"doubly_reparameterised": True}, "choose iwae"),
        ({"warm_up_epochs": 3}, "without a warm_up"),
        ({"warm_up": "linear"}, "warm_up_epochs is an int of at least 1; got 0"),
        ({"warm_up": "steep", "warm_up_epochs": 3}, "one of linear"),
    ],
)
def test_refusals_name_the_field(values, said):
    with pytest.raises(InputError, match=said):
        TrainingConfig(**values)


@pytest.mark.parametrize("text", ["{", "[]", '{"epochs": 3, "colour": 1}'])
def test_damaged_json(text):
    with pytest.raises(InputError):
        TrainingConfig.from_json(text)


def test_differences_name_both_values():
    other = dataclasses.replace(EVERYTHING, beta=1.0, epochs=11)
    assert EVERYTHING.differences(other) == {"beta": (4.0, 1.0), "epochs": (10, 11)}
