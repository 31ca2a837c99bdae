import dataclasses
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from vae_tf.cli.app import app
from vae_tf.data import from_arrays
from vae_tf.runs import TrainingConfig, evaluate, open_run, train
from vae_tf.runs.evaluation.ood import examples_in_units_of
from vae_tf.utils.errors import InputError

CONFIG = TrainingConfig(
    dataset="digits", binarize="threshold", latent_dim=2, hidden=(16,), epochs=1, batch_size=100
)


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def run(tmp_path_factory, without_xla):
    return train(CONFIG, tmp_path_factory.mktemp("runs") / "run", verbose=0)


def call(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_everything_as_json(run, tmp_path):
    noise = np.random.default_rng(0).random((200, 8, 8, 1)).astype("float32")
    np.save(tmp_path / "noise.npy", noise)
    result = call(
        run.folder, "--samples", 20, "--quality", "--ais", 2, "--hmc", 3, "--ood",
        tmp_path / "noise.npy", "--background-epochs", 1, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    details = found["details"]
    assert details["log_prob"]["mean"] == found["log_prob"]
    assert details["rate_distortion"]["rate"] == pytest.approx(found["kl"], rel=1e-4)
    assert sum(details["kl_per_dimension"]) == pytest.approx(found["kl"], rel=1e-4)
    parts = details["kl_decomposition"]
    assert parts["mutual_information"] + parts["marginal_kl"] == pytest.approx(parts["kl"])
    assert details["active_units"]["latent_dim"] == 2
    assert details["ais"]["examples"] == 2
    assert details["hmc"]["examples"] == 3
    drawn = [
        run.folder / "pictures" / f"other_data_{score}.png"
        for score in found["out_of_distribution"]["detections"]
    ]
    assert all(path.stat().st_size > 1000 for path in drawn)
    assert all(str(path) in result.stderr for path in drawn)
    assert 0 <= found["probes"]["most_frequent"] < found["probes"]["linear"] <= 1
    assert found["quality"]["generated"] == found["quality"]["real"] == 297
    assert 0 <= found["two_sample"]["accuracy"] <= 1
    other = found["out_of_distribution"]
    assert set(other["detections"]) == {"log_prob", "elbo", "likelihood_ratio", "input_complexity"}
    assert (found["other"], other["examples_in"], other["examples_out"]) == ("noise.npy", 297, 200)
    # Any model of digits finds noise unlikely.
    assert other["detections"]["log_prob"]["auroc"] > 0.9


def test_the_first_examples_alone(run):
    evaluation = evaluate(run, 5, examples=30)
    assert (evaluation.examples, evaluation.of_examples) == (30, 297)
    assert "the first 30 of 297 test examples" in str(evaluation)


def test_other_tables_come_in_the_units_of_training(tmp_path):
    columns = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    for name, x in {"own": columns, "far": 10 * columns + 50}.items():
        np.savetxt(tmp_path / f"{name}.csv", x, header="a,b,c", comments="", delimiter=",")
    config = dataclasses.replace(
        CONFIG, dataset=str(tmp_path / "own.csv"), binarize=None, standardize=True
    )
    made = train(config, tmp_path / "run", verbose=0)
    own, far = evaluate(made, 5), evaluate(made, 5, tmp_path / "far.csv")
    assert far.log_prob < own.log_prob - 100


@pytest.fixture(scope="module")
def table_run(tmp_path_factory, without_xla):
    folder = tmp_path_factory.mktemp("tables")
    x = np.random.default_rng(0).normal([0, 1000], [1, 10], (200, 2))
    for name, header, columns in (
        ("own", "a,b", x),
        ("swapped", "b,a", x[:, ::-1]),
        ("more", "a,b,c", x[:, [0, 1, 1]]),
        ("fewer", "a", x[:, :1]),
        ("named", "a,c", x),
        ("dropped", "a,b,id", x[:, [0, 1, 1]]),
    ):
        np.savetxt(folder / f"{name}.csv", columns, header=header, comments="", delimiter=",")
    config = dataclasses.replace(
        CONFIG, dataset=str(folder / "own.csv"), binarize=None, standardize=True
    )
    return folder, train(config, folder / "run", verbose=0)


def test_columns_of_other_tables_are_matched_by_name(table_run):
    folder, run = table_run
    own = evaluate(run, 5)
    # Of other data the examples held out come first, which are the same rows here.
    swapped = evaluate(run, 5, folder / "swapped.csv", examples=own.examples)
    assert swapped.log_prob == pytest.approx(own.log_prob, rel=1e-5)
    # So they are where the run's own file is written anew in another order.
    other = dataclasses.replace(run.config, dataset=str(folder / "swapped.csv"))
    changed = dataclasses.replace(run, config=other)
    assert evaluate(changed, 5).log_prob == pytest.approx(own.log_prob, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("more", "more.csv has besides 'c', but the columns 'a', 'b' are expected"),
        ("fewer", "fewer.csv lacks 'b', but"),
        ("named", "named.csv lacks 'b' and has besides 'c', but"),
    ],
)
@pytest.mark.parametrize("option", ["--data", "--ood"])
@pytest.mark.parametrize("recorded", [True, False])
def test_missing_and_further_columns_are_refused(table_run, tmp_path, name, said, option, recorded):
    folder, run = table_run
    copy = shutil.copytree(run.folder, tmp_path / "run")
    if not recorded:  # as version 0.1 left it
        (copy / "data.json").unlink()
    result = call(copy, option, folder / f"{name}.csv", "--samples", 2)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert said in line


def test_a_run_of_version_0_1_keeps_the_index_that_it_was_trained_on(table_run, tmp_path):
    _, run = table_run
    copy = shutil.copytree(run.folder, tmp_path / "run")
    (copy / "data.json").unlink()
    text = np.loadtxt(run.config.dataset, str)
    unnamed = "\n".join(["Unnamed: 0,b", *text[1:]])
    (tmp_path / "own.csv").write_text(unnamed)
    config = dataclasses.replace(run.config, dataset=str(tmp_path / "own.csv"))
    (copy / "config.json").write_text(config.to_json())
    assert open_run(copy).data().column_names == ("Unnamed: 0", "b")
    resumed = train(dataclasses.replace(config, epochs=2), copy, resume=True, verbose=0)
    assert open_run(copy).columns == resumed.columns == ("Unnamed: 0", "b")


def test_classes_of_other_data_are_matched_by_name():
    x = np.zeros((4, 2), "float32")
    own, other, strange = (
        dataclasses.replace(
            from_arrays(x, x, y_train=[0, 1, 0, 1], y_test=[0, 1, 0, 1]), class_names=names
        )
        for names in (("1", "2", "3"), ("3", "2"), ("2", "4"))
    )
    assert examples_in_units_of(own, own, 4)[1].tolist() == [0, 1, 0, 1]
    assert examples_in_units_of(own, other, 4)[1].tolist() == [2, 1, 2, 1]
    assert examples_in_units_of(own, strange, 4)[1] is None


def test_no_advice_on_training_from_other_data(table_run):
    folder, run = table_run
    assert "train again" not in (text := str(evaluate(run, 5, folder / "swapped.csv")))
    assert "on swapped.csv, which the model was not trained on: that says nothing" in text
    own = evaluate(run, 5, folder / "own.csv")
    assert own.details.collapse == evaluate(run, 5).details.collapse


@pytest.mark.parametrize("dequantize", [True, False])
def test_bits_of_a_density_of_bytes(tmp_path, dequantize):
    x = np.random.default_rng(0).integers(0, 256, (400, 4, 4), np.uint8)
    np.save(tmp_path / "x.npy", x)
    config = dataclasses.replace(
        CONFIG,
        dataset=str(tmp_path / "x.npy"),
        binarize=None,
        dequantize=dequantize,
        likelihood=None if dequantize else "continuous_bernoulli",
    )
    evaluation = evaluate(train(config, tmp_path / "run", verbose=0), 5)
    assert evaluation.likelihood == "ContinuousBernoulli"
    shift = np.log2(256 if dequantize else 255)
    bits = -evaluation.log_prob / (16 * np.log(2)) + shift
    assert evaluation.bits_per_dim == pytest.approx(bits, abs=1e-9)
    assert evaluation.bits_per_dim == pytest.approx(8, abs=0.05)  # what noise has
    text = str(evaluation)
    assert ("no binarisation, dequantised" in text) == dequantize
    said = "an upper bound on that of 256" if dequantize else "at 256 levels without noise"
    assert said in text


def test_other_data_are_said_to_be_likelier_where_they_are(run, tmp_path):
    typical = run.model().sample(1, seed=0).numpy().round()
    np.save(tmp_path / "typical.npy", np.repeat(typical, 200, axis=0))
    evaluation = evaluate(run, 5, ood=tmp_path / "typical.npy", background_epochs=0)
    assert evaluation.out_of_distribution.detections["log_prob"].auroc < 0.5
    assert "the known failure of plain likelihood" in str(evaluation)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ood", "wide.npy"], "examples of shape (8, 9, 1) and the model is for (8, 8, 1)"),
        (["--data", "one.npz"], "expected at least 2"),
        (["--ood", "one.npz"], "one.npz has 1 example, expected at least 2"),
        (["--samples", "0"], "samples is an int of at least 1; got 0"),
        (["--examples", "0"], "examples is an int of at least 1; got 0"),
        (["--ais", "-1"], "ais is an int of at least 0"),
        (["--ood", "wide.npy", "--background-epochs", "-1"], "background_epochs"),
    ],
)
def test_bad_input_is_one_line(run, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("wide.npy", np.zeros((20, 8, 9, 1), "float32"))
    np.savez("one.npz", x_train=np.zeros((2, 8, 8, 1)), x_test=np.zeros((1, 8, 8, 1)))
    result = call(run.folder, *arguments)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert said in line


def test_all_of_a_folder_that_came_without_a_test_split(run, tmp_path):
    random = np.random.default_rng(1)
    np.save(tmp_path / "few.npy", random.random((150, 8, 8, 1)).astype("float32"))
    found = evaluate(run, 5, ood=tmp_path / "few.npy", background_epochs=0).out_of_distribution
    assert (found.examples_in, found.examples_out) == (297, 150)
    assert found.detections["log_prob"].auroc_error < 0.1
    other = evaluate(run, 5, tmp_path / "few.npy")
    assert (other.examples, other.of_examples) == (150, 150)


def test_a_run_without_a_model(run, tmp_path):
    (tmp_path / "config.json").write_text(CONFIG.to_json())
    with pytest.raises(InputError, match="no finished epoch"):
        evaluate(open_run(tmp_path))
