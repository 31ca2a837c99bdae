import dataclasses
import errno
import json
import shutil
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import vae_tf
from vae_tf.runs import TrainingConfig, evaluate, open_run, train
from vae_tf.runs.folder import RunFolder
from vae_tf.runs.metrics_file import read_metrics
from vae_tf.utils.errors import InputError

# Batches of 32 make three executions of 16 steps an epoch: there is a middle to stop in.
CONFIG = TrainingConfig(
    dataset="digits",
    binarize="dynamic",
    hidden=(16,),
    latent_dim=2,
    epochs=3,
    batch_size=32,
    seed=5,
)


class StopInEpoch(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch, counted from 1."""

    def __init__(self, epoch):
        super().__init__()
        self._stop, self._epoch = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self._epoch == self._stop:
            raise KeyboardInterrupt


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, without_xla):
    """A run that was never stopped. Not to be changed."""
    return train(CONFIG, tmp_path_factory.mktemp("runs") / "finished", verbose=0)


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory, without_xla):
    """A run that was stopped in its second epoch. Not to be changed; see `stopped`."""
    folder = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, folder, callbacks=[StopInEpoch(2)], verbose=0)
    return folder


@pytest.fixture
def stopped(stopped_once, tmp_path):
    return shutil.copytree(stopped_once, tmp_path / "stopped")


def state(run):
    """Every number of a model and its optimizer that training reads, with its name."""
    vae = run.model()
    variables = [*vae.variables, *vae.optimizer.variables]
    # The generators of the layers' own calls are not those of training; a `.keras` drops them.
    used = [variable for variable in variables if "seed_generator" not in variable.path]
    return [(variable.name, keras.ops.convert_to_numpy(variable)) for variable in used]


def assert_same_state(run, other):
    for (name, value), (_, expected) in zip(state(run), state(other), strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=name)


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_run_folder_holds_everything(finished):
    assert names(finished.folder) == {
        "config.json",
        "data.json",
        "model.keras",
        "metrics.csv",
        "checkpoints/epoch-0002.keras",
        "checkpoints/epoch-0003.keras",
        "tensorboard/train/events.out.tfevents.vae_tf",
        "tensorboard/validation/events.out.tfevents.vae_tf",
        "pictures/learning_curves.png",
        "pictures/samples.png",
        "pictures/reconstructions.png",
        "pictures/manifold.png",
        "pictures/latent_scatter.png",
    }
    assert finished.epoch == 3
    assert finished.finished
    assert finished.config == dataclasses.replace(CONFIG, likelihood="bernoulli")
    assert open_run(finished.folder) == finished
    assert [row["epoch"] for row in read_metrics(finished.folder / "metrics.csv")] == [1, 2, 3]
    assert finished.history["val_elbo"][2] > finished.history["val_elbo"][0]
    path = str(next(finished.folder.glob("tensorboard/validation/*")))
    events = [event for event in tf.compat.v1.train.summary_iterator(path) if event.summary.value]
    logged = [e.summary.value[0].simple_value for e in events if "elbo" in str(e.summary)]
    np.testing.assert_allclose(logged, finished.history["val_elbo"], rtol=1e-6)


def test_evaluation_names_the_binarisation(finished):
    evaluation = evaluate(finished, samples=20)
    assert evaluation.elbo == pytest.approx(finished.history["val_elbo"][-1], abs=0.3)
    assert evaluation.elbo == pytest.approx(evaluation.log_likelihood - evaluation.kl, abs=1e-3)
    assert evaluation.elbo < evaluation.log_prob < 0
    assert "digits, dynamic binarisation" in str(evaluation)
    assert "K=20" in str(evaluation)
    assert evaluate(finished, samples=20) == evaluation
    with pytest.raises(InputError, match="samples is an int of at least 1; got -1"):
        evaluate(finished, samples=-1)


def test_pictures_along_the_way_change_no_weight(finished, tmp_path):
    run = train(CONFIG, tmp_path / "run", verbose=0, pictures_every=2)
    assert_same_state(run, finished)
    assert run.config == finished.config
    drawn = {
        name.removeprefix("pictures/epochs/") for name in names(run.folder) - names(finished.folder)
    }
    assert {"samples/epoch-0002.png", "samples.gif", "manifold.gif"} <= drawn
    with pytest.raises(InputError, match="pictures_every"):
        train(CONFIG, tmp_path / "new", pictures_every=-1)
    assert not (tmp_path / "new").exists()


def test_a_stopped_run_keeps_its_epochs_and_resumes_to_the_same_weights(finished, stopped):
    run = open_run(stopped)
    assert (run.epoch, run.finished) == (1, False)
    assert "model.keras" in names(stopped)
    assert not any(".tmp" in name for name in names(stopped))
    resumed = train(CONFIG, stopped, resume=True, verbose=0)
    assert_same_state(resumed, finished)
    assert resumed.history == finished.history
    assert names(stopped) == names(finished.folder)


@pytest.mark.slow
def test_more_epochs_are_the_longer_run(finished, tmp_path):
    short = dataclasses.replace(CONFIG, epochs=2)
    train(short, tmp_path / "run", verbose=0)
    with pytest.raises(InputError, match="2 epochs already, and 1"):
        train(dataclasses.replace(CONFIG, epochs=1), tmp_path / "run", resume=True)
    assert_same_state(train(CONFIG, tmp_path / "run", resume=True, verbose=0), finished)


def test_a_kill_between_the_metrics_and_the_checkpoint(finished, stopped):
    # What a kill -9 at that moment leaves: a row too many and a half-written checkpoint.
    shutil.copy(finished.folder / "metrics.csv", stopped / "metrics.csv")
    (stopped / "checkpoints" / ".epoch-0002.keras.00.tmp").mkdir()
    (stopped / "model.keras").unlink()
    assert open_run(stopped).history["elbo"] == finished.history["elbo"][:1]
    resumed = train(CONFIG, stopped, resume=True, verbose=0)
    assert_same_state(resumed, finished)
    assert resumed.history == finished.history
    assert names(stopped) == names(finished.folder)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_resumes_with_its_loss_scale(precision, tmp_path):
    config = dataclasses.replace(CONFIG, precision=precision, epochs=2)
    whole = train(config, tmp_path / "whole", verbose=0)
    assert whole.model().dtype_policy.name == precision
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts", callbacks=[StopInEpoch(2)], verbose=0)
    assert_same_state(train(config, tmp_path / "parts", resume=True, verbose=0), whole)


def test_nothing_is_overwritten(finished, tmp_path):
    with pytest.raises(InputError, match="holds a run already, after epoch 3; resume it"):
        train(CONFIG, finished.folder)
    (tmp_path / "mine.txt").write_text("")
    for resume in (False, True):
        with pytest.raises(InputError, match="something else than a run"):
            train(CONFIG, tmp_path, resume=resume)


def test_another_configuration_is_named(stopped):
    other = dataclasses.replace(CONFIG, latent_dim=3, binarize="static", epochs=9)
    before = (stopped / "config.json").read_text()
    with pytest.raises(
        InputError, match=r"binarize 'dynamic' \(now 'static'\), latent_dim 2 \(now 3\)"
    ):
        train(other, stopped, resume=True)
    assert (stopped / "config.json").read_text() == before


def test_a_truncated_checkpoint_is_named(finished, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "run")
    newest = folder / "checkpoints" / "epoch-0003.keras"
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"epoch-0003\.keras is damaged\. Delete.*after epoch 2"):
        train(CONFIG, folder, resume=True)
    newest.unlink()
    assert_same_state(train(CONFIG, folder, resume=True, verbose=0), finished)


def test_a_full_disk_keeps_the_epochs_before(stopped, finished, monkeypatch):
    real = zipfile.ZipFile.open

    def full(self, name, mode="r", *args, **kwargs):
        if mode == "w" and "config" in str(name):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, name, mode, *args, **kwargs)

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(OSError, match=r"No space left.*whole as of epoch 1") as caught:
        train(CONFIG, stopped, resume=True, verbose=0)
    assert caught.value.filename.endswith("epoch-0002.keras")
    monkeypatch.undo()
    assert open_run(stopped).epoch == 1
    assert not list(stopped.rglob(".*"))
    assert_same_state(train(CONFIG, stopped, resume=True, verbose=0), finished)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"directory|exists"):
        train(CONFIG, tmp_path / "file" / "run")


def test_data_that_are_gone(tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, np.random.default_rng(0).normal(size=(200, 3)).astype("float32"))
    config = TrainingConfig(dataset=path, hidden=(4,), latent_dim=1, epochs=1)
    run = train(config, tmp_path / "run", verbose=0)
    assert run.config.likelihood == "normal"
    assert run.config.dataset == str(path)
    path.unlink()
    with pytest.raises(InputError, match=r"data\.npy"):
        run.data()
    with pytest.raises(InputError, match=r"data\.npy"):
        train(dataclasses.replace(config, epochs=2), tmp_path / "run", resume=True)


def test_divergence_stops_and_keeps_the_last_good_epoch(tmp_path):
    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.trainable_variables[0].assign(
                    self.model.trainable_variables[0] * float("nan")
                )

    with pytest.raises(InputError, match=r"became nan in epoch 2.*0001\.keras.*below 0\.001"):
        train(CONFIG, tmp_path / "run", callbacks=[Break()], verbose=0)
    run = open_run(tmp_path / "run")
    assert run.epoch == 1
    assert all(np.isfinite(weight).all() for weight in run.model().get_weights())


def test_a_warm_up_longer_than_the_training(tmp_path):
    config = dataclasses.replace(CONFIG, warm_up="linear", warm_up_epochs=4)
    with pytest.raises(InputError, match="188 steps, but training ends at step 141"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_trainings_in_one_folder(stopped):
    with RunFolder(stopped).locked(), pytest.raises(InputError, match="Another process"):
        train(CONFIG, stopped, resume=True, verbose=0)


def test_no_run(tmp_path):
    with pytest.raises(InputError, match="no run"):
        open_run(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"epochs": "three"}))
    with pytest.raises(InputError, match=r"config\.json"):
        open_run(tmp_path)
    (tmp_path / "config.json").write_text(CONFIG.to_json())
    with pytest.raises(InputError, match="no finished epoch"):
        open_run(tmp_path).model()


@pytest.mark.parametrize(
    ("objective", "options", "kind"),
    [
        (
            "elbo",
            {"beta": 4.0, "warm_up": "sigmoid", "warm_up_epochs": 2},
            vae_tf.objectives.Sigmoid,
        ),
        ("elbo", {"warm_up": "cyclical", "warm_up_epochs": 3}, vae_tf.objectives.Cyclical),
        ("beta_tc", {"warm_up": "linear", "warm_up_epochs": 3}, vae_tf.objectives.Linear),
    ],
)
def test_objectives_of_a_configuration(objective, options, kind):
    config = TrainingConfig(objective=objective, epochs=3, **options)
    built = vae_tf.runs.build_objective(config, steps_per_epoch=100, num_train=1000)
    assert isinstance(built.beta, kind)
    assert built.warm_up_steps <= 100 * config.warm_up_epochs
    final = float(built.beta(300))
    assert final == pytest.approx(options.get("beta", 6.0 if objective == "beta_tc" else 1.0))
