"""An objective and a preset of one's own, with options of their own, from `--help` to a run."""

import dataclasses
import json

import keras
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import vae_tf
from vae_tf import objectives, presets
from vae_tf.cli.app import make_app
from vae_tf.reporting.command_lines import train_command
from vae_tf.runs import TrainingConfig, build_objective, open_run, train
from vae_tf.utils.errors import InputError
from vae_tf.utils.registry import OBJECTIVES, PRESETS

pytestmark = pytest.mark.usefixtures("without_xla")


@keras.saving.register_keras_serializable(package="tests")
class Tempered(objectives.ELBO):
    """The ELBO with a likelihood to the power of 1/T.

    Args:
        temperature: float. T, of the likelihood [at least 0.1]. Defaults to 1.
        levels: list of ints. Read by nothing.
        centred: bool. Read by nothing. Defaults to True.
        dataset_size: int. Number of training examples.
        batch_size: int. Examples a step.
        beta: float or `Schedule`. Weight of the KL.
    """

    def __init__(
        self,
        dataset_size: int,
        temperature: float = 1.0,
        levels: list[int] | None = None,
        centred: bool = True,
        batch_size: int = 1,
        beta: float | objectives.Schedule = 2.0,
    ) -> None:
        super().__init__(beta)
        if temperature < 0.1:
            raise InputError(f"temperature is at least 0.1; got {temperature}.")
        self.own = {
            "dataset_size": dataset_size,
            "temperature": temperature,
            "levels": levels,
            "centred": centred,
            "batch_size": batch_size,
        }

    def call(self, model, batch, *, step, seed, training=False):
        result = super().call(model, batch, step=step, seed=seed, training=training)
        scale = tf.cast(1 / self.own["temperature"] - 1, result.loss.dtype)
        return result._replace(loss=result.loss - scale * result.terms.log_likelihood)

    def get_config(self):
        return {**self.own, "beta": super().get_config()["beta"]}


def narrow(event_shape, latent_dim: int = 20, *, width: int = 4, **others) -> vae_tf.VAE:
    """One narrow hidden layer.

    Args:
        width: int. Its units. Defaults to 4.
    """
    return presets.mlp(event_shape, latent_dim, hidden=width, **others)


@pytest.fixture
def registered():
    assert objectives.register("tempered")(Tempered) is Tempered
    assert presets.register("narrow")(narrow) is narrow
    yield
    OBJECTIVES.unregister("tempered")
    PRESETS.unregister("narrow")


@pytest.fixture
def config(registered):
    return TrainingConfig(
        preset="narrow",
        width=5,
        objective="tempered",
        temperature=2,
        centred=False,
        latent_dim=2,
        epochs=1,
        batch_size=300,
    )


def call(*arguments):
    return CliRunner().invoke(make_app(), list(map(str, arguments)), env={"COLUMNS": "200"})


def test_names(registered):
    assert presets.names() == ["conv", "conv-deep", "mlp", "narrow"]
    assert "width" in presets.options("narrow")
    with pytest.raises(InputError, match="one of elbo, iwae, or an instance"):
        objectives.get("tempered")  # which needs the size of the data


def test_values_of_a_configuration(config):
    assert (config.width, config.temperature, config.centred) == (5, 2.0, False)
    assert type(config.temperature) is float
    assert (config.beta, config.samples) == (None, None)
    default = TrainingConfig(objective="tempered", preset="narrow")
    assert (default.width, default.temperature, default.centred) == (None, 1.0, True)
    assert config.differences(default).keys() == {
        "width", "temperature", "centred", "latent_dim", "epochs", "batch_size"
    }  # fmt: skip
    assert TrainingConfig.from_json(config.to_json()) == config
    assert dataclasses.replace(config, temperature=None).temperature == 1.0
    assert dataclasses.replace(default, objective="elbo", preset="mlp") == TrainingConfig()
    assert not hasattr(TrainingConfig(), "temperature")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"temperature": 2.0}, "the objective 'elbo' takes none; leave it out, or choose tempered"),
        ({"width": 3}, "width is 3, but the preset 'mlp' takes none; leave it out, or choose narr"),
        ({"objective": "tempered", "temperature": "hot"}, "temperature is 'hot', expected float"),
        ({"objective": "tempered", "samples": 2}, "choose elbo or iwae"),
        ({"objective": "x"}, "one of elbo, iwae, beta_tc, tempered"),
        ({"preset": "x"}, "There is no preset 'x'; give one of conv, conv-deep, mlp, narrow"),
    ],
)
def test_refusals_say_who_takes_an_option(registered, values, said):
    with pytest.raises(InputError, match=said):
        TrainingConfig(**values)


def test_the_constructor_gets_options_data_and_fields(config):
    built = build_objective(config, steps_per_epoch=10, num_train=1500)
    assert built.own == {
        "dataset_size": 1500,
        "temperature": 2.0,
        "levels": None,
        "centred": False,
        "batch_size": 300,
    }
    assert float(built.beta(0)) == 2.0
    warmed = dataclasses.replace(config, warm_up="linear", warm_up_epochs=1)
    assert build_objective(warmed, 10, 1500).beta == objectives.Linear(10, stop=2.0)


def test_a_run_and_its_files(config, tmp_path):
    run = train(config, tmp_path / "run", verbose=0)
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (written["width"], written["temperature"]) == (5, 2.0)
    assert "hidden" not in written
    assert run.config == open_run(tmp_path / "run").config
    assert isinstance(run.model().objective, Tempered)
    assert run.model().encoder.layers[-2].units == 5
    resumed = train(dataclasses.replace(config, epochs=2), tmp_path / "run", resume=True, verbose=0)
    assert resumed.epoch == 2
    again = train_command(run)
    assert "--preset narrow --width 5" in again
    assert "--temperature 2.0 --no-centred" in again


def test_the_command_line(registered, tmp_path):
    shown = call("train", "--help").stdout
    for part in (
        "One of conv, conv-deep, mlp, narrow.",
        "One of elbo, iwae, beta_tc, tempered.",
        "Its units. [default: (narrow 4)]",
        "T, of the likelihood [at least 0.1]. [default: (tempered 1)]",
        "--no-centred",
        "beta_tc: Weight of the total correlation.",
        "elbo 1, beta_tc 6, tempered 2",
    ):
        assert part in shown
    assert "--levels" not in shown  # no type of a command line
    line = ["train", "digits", "--out", tmp_path / "run", "--epochs", 1, "--batch-size", 300]
    refused = call(*line, "--temperature", 2)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "leave it out, or choose tempered" in refused.stderr
    own = ["--objective", "tempered", "--preset", "narrow", "--width", 3, "--no-centred"]
    refused = call(*line, *own, "--temperature", 0.01)
    assert "temperature is at least 0.1; got 0.01" in refused.stderr
    done = call(*line, *own, "--temperature", 0.5, "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)["config"]
    assert (values["temperature"], values["width"], values["centred"]) == (0.5, 3, False)


def test_afterwards_they_are_gone(tmp_path):
    text = TrainingConfig().to_json()
    assert "temperature" not in text
    assert "--temperature" not in call("train", "--help").stdout
    with pytest.raises(TypeError, match="no field 'temperature'"):
        TrainingConfig(temperature=1.0)


def test_a_run_of_the_package_needs_no_objective_registered_beside_it(registered):
    text = TrainingConfig(hidden=(3,)).to_json()
    assert not {"temperature", "width"} & json.loads(text).keys()


def test_options_that_clash(registered):
    def misfit(event_shape, *, blocks: str = "many"):
        """Another meaning of `blocks`."""

    def overlapping(event_shape, *, beta: float = 1.0):
        """An option of objectives."""

    for preset, said in ((misfit, "'blocks' has two types"), (overlapping, "both .* 'beta'")):
        presets.register("clash")(preset)
        with pytest.raises(ValueError, match=said):
            TrainingConfig()
        PRESETS.unregister("clash")
