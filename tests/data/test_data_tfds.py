"""TensorFlow Datasets: prepared copies, streaming, failed downloads. No network is touched."""

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds

from vae_tf import data
from vae_tf.data import loading
from vae_tf.utils.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 28, 28, 1), np.uint8)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data_dir with a prepared `mnist`, under the builder's own name and version."""
    root = tmp_path_factory.mktemp("tfds")
    official = tfds.builder("mnist", data_dir=root)

    def examples(n):
        return ((i, {"image": IMAGES[i], "label": i % 10}) for i in range(n))

    tfds.dataset_builders.store_as_tfds_dataset(
        "mnist",
        version=str(official.version),
        features=official.info.features,
        split_datasets={split: _dataset(examples, n) for split, n in (("train", 60), ("test", 20))},
        data_dir=root,
        disable_shuffling=True,
    )
    return root


def _dataset(examples, n):
    import tensorflow as tf

    rows = [row for _, row in examples(n)]
    return tf.data.Dataset.from_tensor_slices(
        {
            "image": np.stack([row["image"] for row in rows]),
            "label": np.array([row["label"] for row in rows], np.int64),
        }
    )


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise requests.exceptions.ConnectionError("Failed to resolve 'somewhere'")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(requests.Session, "send", refuse)


@pytest.mark.usefixtures("offline")
def test_prepared_copy_needs_no_network(prepared):
    d = data.load("mnist", data_dir=prepared, batch_size=16)
    assert (d.name, d.num_train, d.num_test, d.num_classes) == ("mnist", 60, 20, 10)
    x, y = data.head(d.test, 20)
    np.testing.assert_array_equal(x, IMAGES[:20] / np.float32(255))
    np.testing.assert_array_equal(y, np.arange(20) % 10)
    resized = data.load("mnist", data_dir=prepared, image_size=(14, 10))
    assert data.head(resized.train, 3)[0].shape == (3, 14, 10, 1)


def every(dataset):
    x, y = zip(*[(x.numpy(), y.numpy()) for x, y in dataset], strict=True)
    return np.concatenate(x), np.concatenate(y)


def test_streaming_gives_the_same_examples_and_resumes(prepared, monkeypatch):
    monkeypatch.setattr(loading, "MAX_BYTES_IN_MEMORY", 0)
    d = data.load("mnist", data_dir=prepared, batch_size=16)
    assert int(d.train.cardinality()) == 4
    assert d.train.element_spec[0].shape.as_list() == [None, 28, 28, 1]
    np.testing.assert_array_equal(every(d.test)[0], IMAGES[:20] / np.float32(255))
    epochs = [every(d.train)[0] for _ in range(4)]
    for epoch in epochs:
        np.testing.assert_array_equal(
            np.sort(epoch.sum((1, 2, 3))), np.sort((IMAGES / np.float32(255)).sum((1, 2, 3)))
        )
    assert (epochs[0] != epochs[1]).any()
    rest = data.load("mnist", data_dir=prepared, batch_size=16, first_epoch=2)
    np.testing.assert_array_equal([every(rest.train)[0] for _ in range(2)], epochs[2:])


@pytest.mark.parametrize("binarize", ["threshold", "static", "dynamic"])
def test_streaming_binarisation(prepared, monkeypatch, binarize):
    monkeypatch.setattr(loading, "MAX_BYTES_IN_MEMORY", 0)
    options = {"data_dir": prepared, "batch_size": 60, "binarize": binarize}
    d = data.load("mnist", **options)

    def epoch(pipeline):
        return np.array(sorted(every(pipeline)[0].reshape(60, -1).tolist()))

    first, second = epoch(d.train), epoch(d.train)
    assert set(np.unique(first)) == {0, 1}
    assert (first == second).all() == (binarize != "dynamic")
    np.testing.assert_array_equal(epoch(data.load("mnist", **options).train), first)
    np.testing.assert_array_equal(every(d.test)[0], every(d.test)[0])
    np.testing.assert_array_equal(
        every(d.test)[0], every(data.load("mnist", seed=9, **options).test)[0]
    )
    assert abs(first.mean() - IMAGES.mean() / 255) < 0.02


def test_streaming_noise(prepared, monkeypatch):
    monkeypatch.setattr(loading, "MAX_BYTES_IN_MEMORY", 0)
    options = {"data_dir": prepared, "dequantize": True}
    d, other = (data.load("mnist", batch_size=b, seed=s, **options) for b, s in ((16, 0), (7, 9)))
    test = every(d.test)[0]
    np.testing.assert_array_equal(np.floor(test * 256), IMAGES[:20])
    np.testing.assert_array_equal(every(other.test)[0], test)
    first, second = (np.sort(every(d.train)[0].ravel()) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(np.sort(np.floor(first * 256)), np.sort(IMAGES.ravel()))
    assert (d.levels, d.dequantize, d.eight_bit) == (256, True, False)


@pytest.mark.usefixtures("offline")
def test_failed_download_names_the_alternatives_and_leaves_nothing(tmp_path, capfd):
    with pytest.raises(InputError) as caught:
        data.load("mnist", data_dir=tmp_path / "new")
    text = str(caught.value)
    assert "'mnist' needs a download, which failed (Failed to resolve 'somewhere')" in text
    for word in ("digits", "IDX", "PNG/JPEG", ".npz", ".csv", "data_dir="):
        assert word in text
    assert not (tmp_path / "new").exists()
    assert "Traceback" not in capfd.readouterr().err


def test_failure_midway_leaves_nothing(tmp_path, monkeypatch):
    def partly(self, *args, **kwargs):
        part = tmp_path / "new" / "downloads" / "mnist" / "images.gz.tmp.1"
        part.mkdir(parents=True)
        (part / "images.gz").write_bytes(b"half")
        (tmp_path / "new" / "mnist").mkdir()
        raise requests.exceptions.ConnectionError("reset")

    monkeypatch.setattr(requests, "head", lambda *a, **k: None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", partly)
    with pytest.raises(InputError, match=r"which failed \(reset\)"):
        data.load("mnist", data_dir=tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnsit", "did you mean 'mnist'"),
        ("idx_images", "there is no dataset"),
        ("imdb_reviews", r"no image feature \(its features: text, label\)"),
        ("caltech101", r"varying size .* pass image_size="),
        ("emnist/none", "check its config"),
    ],
)
def test_names_that_cannot_be_loaded(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        data.load(name, data_dir=tmp_path)


@pytest.mark.usefixtures("offline")
def test_files_to_fetch_by_hand(tmp_path):
    with pytest.raises(InputError, match=r"fetched by hand .* manual_dir="):
        data.load("imagenet2012", data_dir=tmp_path, image_size=(8, 8))


def test_names():
    assert set(data.names()) >= {"digits", "mnist", "fashion_mnist", "omniglot", "celeb_a"}
    assert set(data.names()[1:]) <= set(tfds.list_builders())
