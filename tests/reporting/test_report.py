import dataclasses
import re
import shlex

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.reporting.browser import CHROMIUM, console, image_widths
from vae_tf import runs
from vae_tf.cli.app import app
from vae_tf.reporting import report, three_panels
from vae_tf.reporting.command_lines import train_command
from vae_tf.runs import TrainingConfig, evaluate, train

CONV = TrainingConfig(
    dataset="digits",
    binarize="threshold",
    preset="conv",
    filters=(4,),
    hidden=(8,),
    latent_dim=3,
    epochs=2,
    batch_size=100,
    seed=3,
)
MLP = dataclasses.replace(CONV, preset="mlp", filters=None, hidden=(16,), latent_dim=2, epochs=1)


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def run(tmp_path_factory, without_xla):
    folder = tmp_path_factory.mktemp("runs") / "conv"
    return train(CONV, folder, verbose=0, pictures_every=1)


@pytest.fixture(scope="module")
def page(run):
    return report(run, samples=7)


@pytest.fixture(scope="module")
def other(tmp_path_factory, without_xla):
    """A report with everything in it, of a run of two latents."""
    folder = tmp_path_factory.mktemp("runs")
    noise = np.random.default_rng(0).random((200, 8, 8, 1)).astype("float32")
    np.save(folder / "noise.npy", noise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(three_panels, "_EPOCHS", 1)
        patch.setattr(three_panels, "_TRAINED", 100)
        made = train(MLP, folder / "mlp", verbose=0)
        return report(
            made,
            folder / "page.html",
            samples=3,
            ood=folder / "noise.npy",
            background_epochs=1,
            three_panels=True,
        )


def titles(page):
    """Title of each figure -> whether there is an image under it."""
    found = re.findall(r"<figure>\s*<h3>(.*?)</h3>\s*<(img|p)", page.read_text())
    return {title: tag == "img" for title, tag in found}


def test_figures_of_a_convolutional_model_and_its_animation(page):
    everything = (
        "Samples", "Reconstructions", "Latent scatter", "Traversals", "Interpolations",
        "KL per dimension", "Active units", "Rate and distortion", "Learning curves",
        "Animation of the samples", "Saliency", "SmoothGrad", "Grad-CAM++", "Activation maximisation",
        "Edits",
    )  # fmt: skip
    assert titles(page) == dict.fromkeys(everything, True)


@pytest.mark.slow
def test_two_latents_other_data_and_the_lesson(other):
    found = titles(other)
    assert found.pop("Grad-CAM++") is False
    assert "the encoder has none" in other.read_text()
    assert all(found.values())
    assert {"Manifold", "log p(x)", "ELBO", "Likelihood ratio", "Input complexity"} <= set(found)
    assert "Reconstruction alone, the KL alone, and both" in found
    for text in (other.read_text(), (other.parent / "model_card.md").read_text()):
        assert re.search(r"Against noise\S* log p\(x\) has AUROC [01]\.\d{3}", text)
    assert "--samples 3 --ood" in other.read_text()
    assert "--background-epochs 1 --three-panels" in other.read_text()


@pytest.mark.parametrize("name", ["page", pytest.param("other", marks=pytest.mark.slow)])
def test_the_page_loads_nothing(name, request):
    text = request.getfixturevalue(name).read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert "<script" not in text
    targets = re.findall(r"(?:src|href)\s*=\s*[\"']?([^\"'>\s]*)|url\(([^)]*)\)", text)
    assert targets
    assert all("".join(target).startswith("data:") for target in targets)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
@pytest.mark.parametrize("name", ["page", pytest.param("other", marks=pytest.mark.slow)])
def test_a_browser_draws_every_image_without_a_complaint(name, request, tmp_path):
    made = request.getfixturevalue(name)
    widths = image_widths(made, tmp_path)
    assert len(widths) == sum(titles(made).values())
    assert min(widths) > 100
    assert console(made) == []


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_page_that_is_broken_is_noticed(page, tmp_path):
    broken = tmp_path / "broken.html"
    text = page.read_text()
    broken.write_text(re.sub(r"(base64,).{200}", r"\1", text, count=1))
    assert image_widths(broken, tmp_path)[0] == 0
    broken.write_text(text.replace("</body>", "<script>let a;</script></body>"))
    assert console(broken)


def test_the_figures_are_those_of_evaluate(run, page):
    found = evaluate(run, 7, quality=True)
    card = (page.parent / "model_card.md").read_text()
    assert len(found.rows) > 12
    for row in found.rows:
        assert (
            f'<th scope="row">{row.name}</th><td class="number">{row.text}</td>' in page.read_text()
        )
        assert f"| {row.name} | {row.text} | {row.unit} |" in card
    for part in ("digits, threshold binarisation", "297, the whole test split", "K = 7"):
        assert part in page.read_text()
        assert part in card


def test_the_command_makes_the_same_run(run, page, monkeypatch):
    command = train_command(run)
    assert f"<pre>{command}\n" in page.read_text()
    called = {}

    def stand_in(config, folder, *_, **__):
        called.update(config=config, folder=str(folder))
        return run

    monkeypatch.setattr(runs, "train", stand_in)
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert called == {"config": run.config, "folder": f"{run.folder}-again"}


def test_the_command_line_writes_both(run, tmp_path):
    out = tmp_path / "out.html"
    result = CliRunner().invoke(
        app, ["report", str(run.folder), "--out", str(out), "--samples", "2"]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(out), str(tmp_path / "model_card.md")]
    assert "K = 2 draws" in out.read_text()


def test_a_run_on_vectors_with_few_examples_and_no_labels(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
    np.save(tmp_path / "vectors.npy", x)
    config = dataclasses.replace(MLP, dataset=str(tmp_path / "vectors.npy"), binarize=None)
    made = report(train(config, tmp_path / "run", verbose=0), samples=2)
    found = titles(made)
    assert {"Samples", "Reconstructions", "Traversals", "Learning curves"} <= set(found)
    assert "Saliency" not in found
    assert "Edits" not in found
    assert ">recall<" not in made.read_text()  # 4 test examples are too few for it


def test_a_run_without_a_model(tmp_path):
    (tmp_path / "config.json").write_text(CONV.to_json())
    result = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert result.exit_code == 2
    assert "no finished epoch" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "page.txt"], "a report is a .html"),
        (["--ood", "wide.npy"], "examples of shape (8, 9, 1) and the model is for (8, 8, 1)"),
        (["--ood", "nowhere.npy"], "nowhere.npy"),
        (["--samples", "0"], "samples is an int of at least 1; got 0"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(run, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("wide.npy", np.zeros((20, 8, 9, 1), "float32"))
    result = CliRunner().invoke(app, ["report", str(run.folder), "--out", "page.html", *arguments])
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert said in line
    assert not list(tmp_path.glob("*.html"))
