"""Every source that is a file or a folder."""

import gzip
import shutil
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from vae_tf import data
from vae_tf.data import idx
from vae_tf.utils.errors import InputError

RNG = np.random.default_rng(0)


def idx_bytes(array):
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    header = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim])
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return header + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx(path, array):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(idx_bytes(array))


@pytest.fixture
def idx_folder(tmp_path):
    folder = tmp_path / "idx"
    folder.mkdir()
    for split, n, end in (("train", 20, ""), ("t10k", 6, ".gz")):
        images = RNG.integers(0, 256, (n, 5, 4), np.uint8)
        write_idx(folder / f"{split}-images-idx3-ubyte{end}", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte{end}", np.arange(n, dtype=np.uint8) % 3)
    return folder


def write_images(folder, count, shape=(6, 5), suffix=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (count, *shape), np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:03}{suffix}")
    return pixels


dtypes = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).map(np.dtype)
shapes = hnp.array_shapes(max_dims=4, max_side=5)


@settings(max_examples=40, deadline=None)
@given(array=hnp.arrays(dtypes, shapes), compress=st.booleans())
def test_idx_round_trip(tmp_path_factory, array, compress):
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if compress else "a")
    write_idx(path, array)
    found = idx.read_idx(path)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_idx_folder_through_the_builder(idx_folder, tmp_path, capsys):
    d = data.load(idx_folder, data_dir=tmp_path / "prepared")
    assert (d.event_shape, d.num_train, d.num_test, d.num_classes) == ((5, 4, 1), 20, 6, 3)
    x, y = data.head(d.test, 6)
    expected = idx.read_idx(idx_folder / "t10k-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(x[..., 0], expected / np.float32(255))
    np.testing.assert_array_equal(y, np.arange(6) % 3)
    assert capsys.readouterr().out == ""
    # A changed file is another dataset, and the copy prepared before is not read.
    write_idx(idx_folder / "t10k-images-idx3-ubyte.gz", 255 - expected)
    x, _ = data.head(data.load(idx_folder, data_dir=tmp_path / "prepared").test, 6)
    np.testing.assert_array_equal(x[..., 0], (255 - expected) / np.float32(255))


def test_idx_builder_is_known_to_tfds(idx_folder, tmp_path):
    import tensorflow_datasets as tfds

    dataset, info = tfds.load(
        "idx_images",
        split="train",
        data_dir=tmp_path / "prepared",
        builder_kwargs={"folder": idx_folder},
        with_info=True,
    )
    images = np.stack([example["image"] for example in dataset.as_numpy_iterator()])
    expected = idx.read_idx(idx_folder / "train-images-idx3-ubyte")
    np.testing.assert_array_equal(images[..., 0], expected)
    assert info.supervised_keys == ("image", "label")


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def damage_append(path):
    path.write_bytes(path.read_bytes() + b"x")


def damage_magic(path):
    path.write_bytes(b"<html>no such page</html>")


def damage_huge_header(path):
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_truncate, "train-images-idx3-ubyte is truncated: its header says 20x5x4"),
        (damage_append, "train-images-idx3-ubyte is too long"),
        (damage_magic, "train-images-idx3-ubyte is no IDX file: it starts with 3c68746d"),
        (damage_huge_header, "train-images-idx3-ubyte is truncated"),
        (lambda path: path.unlink(), "the train images are missing|holds no train-images"),
    ],
)
def test_damaged_idx_is_named(idx_folder, tmp_path, damage, message):
    damage(idx_folder / "train-images-idx3-ubyte")
    with pytest.raises(InputError, match=message):
        data.load(idx_folder, data_dir=tmp_path / "prepared")


def test_truncated_gzip_and_missing_labels_are_named(idx_folder, tmp_path):
    damage_truncate(idx_folder / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte.gz is a damaged gzip file"):
        data.load(idx_folder, data_dir=tmp_path / "prepared")
    (idx_folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match="test labels are missing"):
        data.load(idx_folder, data_dir=tmp_path / "prepared")


def test_digits():
    d = data.load("digits", batch_size=100)
    assert (d.event_shape, d.num_train, d.num_test, d.num_classes) == ((8, 8, 1), 1500, 297, 10)
    x, y = data.head(d.test, 297)
    assert (x.min(), x.max()) == (0, 1)
    np.testing.assert_array_equal(x * 16, np.round(x * 16))
    assert len(np.unique(y)) == 10
    np.testing.assert_array_equal(data.head(data.load("digits", seed=9).test, 297)[0], x)
    assert data.load("digits", image_size=(12, 10)).event_shape == (12, 10, 1)


def test_flat_image_folder_holds_out_a_part(tmp_path):
    write_images(tmp_path / "images", 10, (6, 5, 3))
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    d = data.load(tmp_path / "images", test_fraction=0.2)
    assert (d.event_shape, d.num_train, d.num_test, d.num_classes) == ((6, 5, 3), 8, 2, 0)
    assert d.eight_bit


def test_class_and_split_subfolders(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        cats = write_images(tmp_path / split / "cat", count)
        write_images(tmp_path / split / "dog", count + 1)
    d = data.load(tmp_path)
    assert (d.num_train, d.num_test, d.class_names) == (7, 5, ("cat", "dog"))
    x, y = data.head(d.test, 5)
    np.testing.assert_array_equal(y, [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(x[:2, ..., 0], cats / np.float32(255))


def test_corrupt_image_is_refused_or_skipped_by_name(tmp_path):
    write_images(tmp_path, 6)
    damage_truncate(tmp_path / "002.png")
    (tmp_path / "002.png").write_bytes((tmp_path / "002.png").read_bytes()[:40])
    (tmp_path / "004.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"002\.png cannot be decoded"):
        data.load(tmp_path)
    with pytest.warns(UserWarning, match=r"skipped .*00[24]\.png") as caught:
        d = data.load(tmp_path, on_corrupt="skip", test_fraction=0.25)
    assert sum("skipped" in str(w.message) for w in caught) == 2
    assert (d.num_train, d.num_test) == (3, 1)


def test_mixed_sizes_and_channels_need_image_size(tmp_path):
    write_images(tmp_path / "a", 2, (6, 5))
    write_images(tmp_path / "b", 2, (8, 9, 3), ".jpg")
    with pytest.raises(InputError, match=r"8x9 with 3 channels but .* is 6x5 with 1 channel;"):
        data.load(tmp_path)
    d = data.load(tmp_path, image_size=(4, 7))
    assert d.event_shape == (4, 7, 3)


def test_npy_and_npz(tmp_path):
    x = RNG.integers(0, 256, (10, 4, 3), np.uint8)
    np.save(tmp_path / "x.npy", x)
    assert data.load(tmp_path / "x.npy").event_shape == (4, 3, 1)
    np.savez(tmp_path / "k.npz", x_train=x, y_train=np.arange(10), x_test=x[:2], y_test=[0, 1])
    d = data.load(str(tmp_path / "k.npz"))
    assert (d.num_train, d.num_test, d.num_classes, d.name) == (10, 2, 10, "k.npz")
    vectors = RNG.normal(size=(10, 3))
    np.savez(tmp_path / "v.npz", x=vectors)
    d = data.load(tmp_path / "v.npz")
    assert d.event_shape == (3,)
    assert d.value_range == pytest.approx((vectors.min(), vectors.max()))


@pytest.mark.parametrize("damage", [damage_truncate, damage_magic])
def test_damaged_or_pickled_arrays(tmp_path, damage):
    for name, save in (("a.npy", np.save), ("a.npz", np.savez)):
        save(tmp_path / name, np.ones((30, 3)))
        damage(tmp_path / name)
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            data.load(tmp_path / name)
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match="plain numeric arrays"):
        data.load(tmp_path / "o.npy")


def write_csv(path, text):
    path.write_text(text)
    return path


def test_tables(tmp_path):
    rows = "".join(f"{i},{i / 4},{'xyz'[i % 3]}\n" for i in range(20))
    path = write_csv(tmp_path / "t.csv", f"a,b,kind\n{rows}")
    d = data.load(path, label_column="kind", standardize=True)
    assert (d.event_shape, d.column_names, d.class_names) == ((2,), ("a", "b"), ("x", "y", "z"))
    x, y = data.head(d.test, 2)
    np.testing.assert_array_equal(np.round(x * d.stddev + d.mean)[:, 0] % 3, y)
    table = pa.table({"a": pa.array(range(20), pa.int32()), "b": np.arange(20) / 4})
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    d = data.load(tmp_path / "t.parquet")
    assert (d.num_train, d.num_test, d.value_range) == (18, 2, (0.0, 19.0))
    headless = write_csv(tmp_path / "h.csv", "1,2\n3,4\n")
    assert data.load(headless, test_fraction=0.5).column_names == ("1", "2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,4\n5,\n", "missing value in row 3, column 'b'"),
        ("a,b\n1,2\nNA,4\n", "missing value in row 2, column 'a'"),
        ("a,b\n1,2\n3,x4\n", "'x4' in row 2, column 'b', which is no number"),
        ("a,b\n1,2\n3,inf\n", "row 2, column 'b'"),
        ("a,b\n1,2\n3\n", "cannot be read as a table"),
        ("a,a\n1,2\n3,4\n", "two columns of one name"),
        ("a,b\n", "holds no numbers"),
        ("", "cannot be read as a table"),
    ],
)
def test_bad_csv_names_row_and_column(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        data.load(write_csv(tmp_path / "t.csv", text))


def test_bad_parquet_and_wrong_arguments(tmp_path):
    pa.parquet.write_table(pa.table({"a": [1.0, None], "b": ["u", "v"]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="missing value in row 2, column 'a'"):
        data.load(tmp_path / "t.parquet")
    pa.parquet.write_table(pa.table({"b": ["u", "v"]}), tmp_path / "s.parquet")
    with pytest.raises(InputError, match="column 'b' of type string"):
        data.load(tmp_path / "s.parquet")
    good = write_csv(tmp_path / "g.csv", "a\n0\n1\n1\n")
    with pytest.raises(InputError, match="only images"):
        data.load(good, binarize="static")
    with pytest.raises(InputError, match="is a table"):
        data.load(good, image_size=(2, 2))
    with pytest.raises(InputError, match="no column 'z'; its columns are a"):
        data.load(good, label_column="z")


def test_paths_that_hold_nothing(tmp_path):
    with pytest.raises(InputError, match="no file or folder"):
        data.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="neither IDX files"):
        data.load(tmp_path)
    shutil.copy(__file__, tmp_path / "a.py")
    with pytest.raises(InputError, match="file of an unknown kind"):
        data.load(tmp_path / "a.py")
