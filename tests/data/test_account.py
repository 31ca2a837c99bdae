import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from vae_tf import data
from vae_tf.data.csv_header import is_header
from vae_tf.utils.errors import InputError

RNG = np.random.default_rng(0)


def write_image(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5, 3), value, np.uint8)).save(path)


def write_csv(path, text):
    path.write_text(text)
    return path


def test_hidden_files_are_skipped_and_links_followed(tmp_path):
    folder, elsewhere = tmp_path / "images", tmp_path / "elsewhere"
    for name in ("cat/0.png", "cat/1.png", ".ipynb_checkpoints/0.png", "__MACOSX/0.png"):
        write_image(folder / name)
    for name in ("Thumbs.db", "cat/._0.png", "cat/notes.txt"):
        (folder / name).write_bytes(b"no image")
    write_image(elsewhere / "dog.png", 255)
    os.symlink(elsewhere, folder / "dog")
    os.symlink(folder, folder / "cat" / "around")
    os.symlink(tmp_path / "nothing", folder / "cat" / "gone")
    d = data.load(folder)
    assert (d.class_names, d.num_train + d.num_test) == (("cat", "dog"), 3)
    assert d.account.files == 3
    assert d.account.skipped_files == {
        "hidden folder": 2,
        "hidden file": 2,
        "no image: .txt": 1,
        "link to a folder around it": 1,
        "link to nothing": 1,
    }
    assert d.account.sentences[0].startswith(
        "3 files taken, skipped: 2 (hidden file), 2 (hidden fo"
    )


def test_linked_splits_and_what_lies_beside_them(tmp_path):
    for name in ("real/a/0.png", "real/b/0.png", "top/test/a/0.png", "top/test/b/0.png"):
        write_image(tmp_path / name)
    write_image(tmp_path / "top" / "extra" / "0.png")
    os.symlink(tmp_path / "real", tmp_path / "top" / "train")
    d = data.load(tmp_path / "top")
    assert (d.num_train, d.num_test) == (2, 2)
    assert d.account.skipped_files == {"in 'extra', beside 'train' and 'test'": 1}


def test_every_format_that_pillow_reads(tmp_path):
    for i, suffix in enumerate((".png", ".webp", ".bmp", ".tiff", ".ppm", ".tga", ".jp2")):
        options = {"lossless": True} if suffix == ".webp" else {}
        pixels = np.full((4, 5, 3), (i, 100, 200), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}{suffix}", **options)
    frames = [Image.fromarray(np.full((4, 5, 3), v, np.uint8)).convert("P") for v in (0, 255)]
    frames[0].save(tmp_path / "7.gif", save_all=True, append_images=frames[1:])
    d = data.load(tmp_path, image_size=(4, 5))
    x = np.concatenate([data.head(split, 8)[0] for split in (d.train, d.test)])
    found = sorted(np.round(x[:, 0, 0] * 255).astype(int).tolist())
    assert found == [[0, 0, 0], *([i, 100, 200] for i in range(7))]  # the GIF's first frame
    assert (d.account.files, d.account.skipped_files) == (8, {})
    (remark,) = d.account.remarks
    assert remark == "of 1 file with several frames or pages the first one was taken"


def test_undecodable_files_are_in_the_account(tmp_path):
    for i in range(3):
        write_image(tmp_path / f"{i}.png")
    (tmp_path / "3.webp").write_bytes(b"RIFF")
    with pytest.warns(UserWarning, match="skipped"):
        d = data.load(tmp_path, on_corrupt="skip")
    assert (d.account.files, d.account.skipped_files) == (3, {"cannot be decoded": 1})


@pytest.mark.parametrize("index", ["__index_level_0__", "key"])
def test_declared_index_of_a_parquet_is_dropped(tmp_path, index):
    table = pa.table({"a": RNG.normal(size=30), "b": RNG.normal(size=30), index: range(30)})
    declared = json.dumps({"index_columns": [index, {"kind": "range"}]})
    table = table.replace_schema_metadata({"pandas": declared})
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    d = data.load(tmp_path / "p.parquet")
    assert d.column_names == ("a", "b")
    assert d.account.skipped_columns == {index: "pandas' index"}
    assert (d.account.files, d.account.columns) == (1, 2)
    assert data.load(tmp_path / "p.parquet", label_column=index).num_classes == 30


@pytest.mark.parametrize(
    ("header", "skipped"),
    [
        (",a,b", [""]),
        ('"",a,b', [""]),
        ("Unnamed: 0,a,b", ["Unnamed: 0"]),
        (",Unnamed: 0,Unnamed: 0.1,a,b", ["", "Unnamed: 0", "Unnamed: 0.1"]),
    ],
)
def test_index_of_a_csv_is_dropped(tmp_path, header, skipped):
    rows = "".join(f"{f'{i},' * len(skipped)}{i / 7},{-i / 9}\n" for i in range(30))
    d = data.load(write_csv(tmp_path / "c.csv", f"{header}\n{rows}"))
    assert d.column_names == ("a", "b")
    assert list(d.account.skipped_columns) == skipped


def test_words_as_row_names_and_a_comma_at_the_end(tmp_path):
    rows = "".join(f"car {i},{i / 3},\n" for i in range(9))
    d = data.load(write_csv(tmp_path / "r.csv", f",mpg,\n{rows}".replace(",\n", "\n")))
    assert d.column_names == ("mpg",)
    d = data.load(write_csv(tmp_path / "e.csv", "a,b,\n1,2.5,\n2,1.5,\n"))
    assert d.column_names == ("a", "b")
    assert d.account.skipped_columns == {"": "without a name and empty"}


@pytest.mark.parametrize(
    ("first", "row", "header"),
    [
        ("2001,2002,2003", "1.5,2,7", True),
        ("1995,2000,2004", "3,2,9", True),
        ("0,1,2", "5,7,9.5", True),
        ("id,2001,2002", "1,2,7", True),
        ("name,2001,2002", "x,2,7", True),
        ("a,b", "x,y", True),
        ("2001,2002,2003", "2002,2003,2004", False),
        ("1,2", "3,4", False),
        ("4,1,7", "1,2,9.5", False),
        ("5.1,3.5,setosa", "4.9,3.0,setosa", False),
        ("5.1,NA", "4.9,3.0", False),
    ],
)
def test_header_of_numbers(first, row, header):
    assert is_header(first.split(","), [row.split(",")]) == header


def test_what_was_made_of_the_first_line_is_said(tmp_path):
    years = write_csv(tmp_path / "y.csv", "2001,2002,2003\n" + "0.5,1.5,2.5\n" * 20)
    d = data.load(years)
    assert (d.column_names, d.num_train + d.num_test) == (("2001", "2002", "2003"), 20)
    assert "(2001,2002,2003) was taken as the names of the columns" in d.account.remarks[0]
    iris = write_csv(tmp_path / "i.csv", "5.1,3.5,s\n4.9,3.0,v\n4.7,3.2,s\n")
    d = data.load(iris, label_column="3")
    assert (d.num_train + d.num_test, d.class_names) == (3, ("s", "v"))
    assert "was taken as an example" in d.account.remarks[0]


def test_a_table_of_another_encoding(tmp_path):
    (tmp_path / "t.csv").write_bytes("é,b\n1,2\n3,4\n".encode("latin1"))
    with pytest.raises(InputError, match=r"t\.csv is no UTF-8 text"):
        data.load(tmp_path / "t.csv")


def test_other_arrays_of_a_file_and_idx_files_of_macos(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=np.eye(4), x_val=np.eye(4))
    assert data.load(tmp_path / "a.npz").account.skipped_columns == {
        "x_val": "an array of another name"
    }
    from tests.data.test_data_files import write_idx

    folder = tmp_path / "idx"
    folder.mkdir()
    write_idx(folder / "train-images-idx3-ubyte", np.zeros((9, 2, 2), np.uint8))
    (folder / "._train-images-idx3-ubyte").write_bytes(b"AppleDouble")
    d = data.load(folder, data_dir=tmp_path / "prepared")
    assert (d.account.files, d.account.skipped_files) == (1, {"no IDX file by its name": 1})


def test_two_image_features(tmp_path):
    import tensorflow_datasets as tfds

    from vae_tf.data import tfds_source

    class Builder:
        name = "pairs"

        def __init__(self, keys, supervised=None):
            features = tfds.features.FeaturesDict(
                {key: tfds.features.Image(shape=(2, 2, 1)) for key in keys}
            )
            self.info = type("Info", (), {"features": features, "supervised_keys": supervised})
            self.info.splits = {"train": None, "extra": None}

    with pytest.raises(InputError, match="image features left, right and does not say"):
        tfds_source._features(Builder(["left", "right"]))
    assert tfds_source._features(Builder(["left", "right"], ("right", "left")))[0] == "right"
    builder = Builder(["image", "mask"])
    records = tfds_source.Records(builder, *tfds_source._features(builder))
    account = tfds_source.account_of(records, "train", None)
    assert account.remarks == (
        "of the image features image, mask 'image' was taken",
        "splits extra were not taken",
    )


def test_a_large_offset_is_not_lost():
    steps = RNG.normal(size=(500, 1))
    x = np.concatenate([1.7e9 + 10 * steps, steps], axis=1)
    d = data.from_arrays(x[:400], x[400:], standardize=True)
    scaled = data.head(d.test, 100)[0]
    np.testing.assert_allclose(scaled[:, 0], scaled[:, 1], atol=1e-5)
    np.testing.assert_allclose(scaled[:, 0] * d.stddev[0] + d.mean[0], x[400:, 0], atol=1e-4)
    assert not d.account.remarks
    whole = data.from_arrays(1_700_000_000 + np.arange(50)[:, None] % 7, standardize=True)
    assert len(np.unique(data.head(whole.train, 45)[0])) == 7


def test_columns_that_look_wrong_are_named(tmp_path):
    rows = [(1.7e9 + i % 20 / 10, i * 7, 3.5, i / 9, i % 4) for i in range(60)]
    text = "time,key,same,a,b\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows)
    path = write_csv(tmp_path / "t.csv", text)
    with pytest.warns(UserWarning, match=r"float32: 'time'; use standardize=True"):
        d = data.load(path)
    same, ids, lost = d.account.remarks
    assert same.startswith("1 column with one value in all rows: 'same'; drop them (drop=, --drop)")
    assert ids.startswith("1 column with another whole number in each row: 'key'; drop them")
    assert "'time'" in lost
    d = data.load(path, drop=["time", "key", "same"])
    assert (d.column_names, d.account.remarks) == (("a", "b"), ())
    assert set(d.account.skipped_columns.values()) == {"dropped as asked"}
    with pytest.raises(InputError, match="no column 'c'; its columns are time, key"):
        data.load(path, drop=["c"])
    with pytest.raises(InputError, match="pass a list of names"):
        data.load(path, drop="time")
    with pytest.raises(InputError, match="'digits' is no table"):
        data.load("digits", drop=["time"])


def test_columns_are_taken_by_name(tmp_path):
    write_csv(tmp_path / "t.csv", "b,id,a\n1,7,2\n3,8,4\n")
    d = data.load(
        tmp_path / "t.csv", columns=["a", "b"], drop=["id", "not there"], label_column="y"
    )
    x = np.concatenate([data.head(split, 1)[0] for split in (d.train, d.test)])
    assert sorted(x.tolist()) == [[2, 1], [4, 3]]
    with pytest.raises(
        InputError, match=r"lacks 'c' and has besides 'id', but .* 'a', 'b', 'c' are"
    ):
        data.load(tmp_path / "t.csv", columns=["a", "b", "c"])


def test_integers_beyond_float64_are_read(tmp_path):
    table = pa.table({"a": pa.array([2**60 + 1, 5, 7], pa.int64())})
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    assert data.load(tmp_path / "t.parquet").value_range == (5.0, 2.0**60)
