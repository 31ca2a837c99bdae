import copy
import dataclasses
import json
import pickle
from pathlib import Path

import pytest

from vae_tf.runs import TrainingConfig
from vae_tf.utils.errors import InputError

FIXTURES = Path(__file__).parents[1] / "fixtures"
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


NEWER = TrainingConfig("t.csv", drop=["id", "time"], dequantize=True)


@pytest.mark.parametrize("config", [TrainingConfig(), EVERYTHING, NEWER])
def test_json_round_trip(config):
    revived = TrainingConfig.from_json(config.to_json())
    assert revived == config
    assert not revived.differences(config)


def test_a_file_of_another_version():
    (text,) = [path.read_text() for path in FIXTURES.glob("0.1.0/run/*/config.json")]
    config, written = TrainingConfig.from_json(text), json.loads(text)
    again = json.loads(config.to_json())
    # Version 0.1 reads what is written now: it knows the names, and what is left out is its default.
    assert again == {name: written[name] for name in again}
    assert not {"full_size", "alpha", "gamma", "drop", "dequantize"} & again.keys()
    assert TrainingConfig.from_json(json.dumps(again)) == config
    # The default of an option that is not taken may have been another.
    assert TrainingConfig.from_json(json.dumps({**written, "blocks": 9})) == config


def test_options_are_attributes_and_survive_copies():
    config = TrainingConfig("mnist", preset="conv", filters=[3, 4], full_size=True, samples=None)
    assert (config.dataset, config.filters, config.full_size) == ("mnist", (3, 4), True)
    assert (config.beta, config.samples, config.kl, config.free_bits) == (None, None, "auto", 0.0)
    assert config == copy.deepcopy(config) == pickle.loads(pickle.dumps(config))
    assert hash(config) == hash(copy.copy(config))
    assert config == TrainingConfig(**config.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epochs = 3
    with pytest.raises(AttributeError, match="'colour'"):
        config.colour  # noqa: B018
    with pytest.raises(TypeError, match="'colour', 'shape'"):
        TrainingConfig(colour=1, shape=2)


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
        ({"filters": (3,)}, "the preset 'mlp' takes none; leave it out, or choose conv or conv-d"),
        ({"objective": "iwae", "beta": 2.0}, "choose elbo or beta_tc"),
        (
            {"objective": "iwae", "warm_up": "linear", "warm_up_epochs": 1},
            "warm_up is 'linear', but the objective 'iwae' takes none; .* elbo or beta_tc",
        ),
        ({"objective": "beta_tc", "gamma": "small"}, "gamma is 'small', expected float"),
        ({"samples": 2.5}, r"samples is 2\.5, expected int | None"),
        ({"preset": "nope"}, "There is no preset 'nope'; give one of conv, conv-deep, mlp"),
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
