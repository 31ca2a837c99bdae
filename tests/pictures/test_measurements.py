import numpy as np
import pytest
from PIL import Image

from vae_tf import pictures
from vae_tf.utils.errors import InputError


def test_kl_bars_are_sorted_and_say_which_dimension_they_are():
    axes = pictures.kl_per_dimension([0.5, 3.0, 0.0]).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [3.0, 0.5, 0.0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "1", "3"]
    assert "nats" in axes.get_ylabel()
    assert axes.get_xlabel().endswith("3.50 nats in all")
    assert len(pictures.kl_per_dimension(np.ones(60)).axes[0].patches) == 60


def test_active_units_are_told_from_the_others():
    figure = pictures.active_units([0.5, 0.0, 0.009, 0.8])
    active, passive, threshold = figure.axes[0].lines
    np.testing.assert_array_equal(active.get_ydata(), [0.8, 0.5])
    assert len(passive.get_ydata()) == 2
    assert (passive.get_ydata() > 0).all()  # on a logarithmic axis
    assert threshold.get_ydata()[0] == 0.01
    assert figure.legends[0].get_title().get_text() == "2 of 4 units active"


def test_rate_and_distortion_stand_where_they_are_and_lines_join_equal_elbos():
    models = {"vae": (20.0, 80.0), "betas": [[5, 110], [30, 70]]}
    axes = pictures.rate_distortion(models).axes[0]
    drawn = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_array_equal(drawn["vae"], [[20, 80]])
    np.testing.assert_array_equal(drawn["betas"], [[5, 110], [30, 70]])
    first, second = drawn["equal ELBO"]
    assert sum(first) == pytest.approx(sum(second))
    assert "nats" in axes.get_xlabel()
    assert "nats" in axes.get_ylabel()


def test_histograms_are_densities_of_all_examples():
    rng = np.random.default_rng(0)
    scores = {"digits": rng.normal(-80, 5, 500), "noise": rng.normal(-300, 9, 300)}
    scores["noise"][0] = -np.inf
    figure = pictures.ood_histogram(scores, title="AUROC 1.00")
    axes = figure.axes[0]
    bars = [container for container in axes.containers if len(container) == 60]
    areas = [sum(bar.get_height() * bar.get_width() for bar in container) for container in bars]
    np.testing.assert_allclose(areas, [1, 1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["digits", "noise"]
    assert axes.get_xlabel() == "log p(x), nats per example"
    pictures.ood_histogram({"constant": np.zeros(5)})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pictures.kl_per_dimension(np.ones((2, 3))), "average over the examples"),
        (lambda: pictures.active_units([]), "one number a latent"),
        (lambda: pictures.active_units([np.nan]), "NaN"),
        (lambda: pictures.rate_distortion({}), "empty"),
        (lambda: pictures.rate_distortion({"a": (1, 2, 3)}), "pairs"),
        (lambda: pictures.ood_histogram({}), "0 datasets"),
        (lambda: pictures.ood_histogram({"a": [np.nan]}), "no finite score"),
        (lambda: pictures.ood_histogram({"a": np.ones((2, 2))}), "one score an example"),
    ],
)
def test_bad_measurements(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_film_shows_each_frame_in_its_time_and_rests_on_the_last(tmp_path):
    figures = [pictures.samples(np.full((1, 8, 8, 1), level)) for level in (0.0, 0.5)]
    file = pictures.save(pictures.samples(np.ones((4, 8, 8, 1))), tmp_path / "last.png")
    path = pictures.animation(
        [*figures, file], tmp_path / "new" / "animation.gif", seconds=0.3, rest=1.5
    )
    with Image.open(path) as animation:
        assert animation.n_frames == 3
        assert animation.info["loop"] == 0
        durations, middles = [], []
        for k in range(3):
            animation.seek(k)
            durations.append(animation.info["duration"])
            frame = np.asarray(animation.convert("L"))
            middles.append(frame[frame.shape[0] // 2, frame.shape[1] // 2])
    assert durations == [300, 300, 1500]
    assert middles[0] < 5
    assert abs(int(middles[1]) - 127) < 5
    again = pictures.animation([*figures, file], tmp_path / "again.gif", seconds=0.3, rest=1.5)
    assert again.read_bytes() == path.read_bytes()


def test_bad_animations(tmp_path):
    figure = pictures.samples(np.zeros((1, 8, 8, 1)))
    (tmp_path / "text.png").write_text("no picture")
    for frames, name, more, message in (
        ([figure], "a.png", {}, "is a .gif"),
        ([], "a.gif", {}, "empty"),
        ([tmp_path / "text.png"], "a.gif", {}, "cannot be read"),
        ([figure], "a.gif", {"seconds": 0}, "more than 0"),
    ):
        with pytest.raises(InputError, match=message):
            pictures.animation(frames, tmp_path / name, **more)
