import errno
import os

import matplotlib
import numpy as np
import pytest

from vae_tf import pictures
from vae_tf.utils.errors import InputError


@pytest.fixture
def figure():
    return pictures.samples(np.zeros((2, 8, 8, 1)), title="two")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")],
)
def test_the_suffix_is_the_format_and_the_bytes_repeat(figure, tmp_path, suffix, start):
    path = pictures.save(figure, tmp_path / "new" / f"a{suffix}")
    first = path.read_bytes()
    assert first.startswith(start)
    again = pictures.samples(np.zeros((2, 8, 8, 1)), title="two")
    assert pictures.save(again, str(path)).read_bytes() == first
    assert os.listdir(path.parent) == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), InputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(
    figure, tmp_path, monkeypatch, error, raised
):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(file, **_):
        file.write(b"half")
        raise error

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(raised) as caught:
        pictures.save(figure, path)
    if raised is InputError:
        assert "No space left on device" in str(caught.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.gif", r"'\.gif'.*\.png, \.svg or \.pdf"), ("a", "ends in ''"), ("dir.png", "is a folder")],
)
def test_bad_paths(figure, tmp_path, name, message):
    (tmp_path / "dir.png").mkdir()
    with pytest.raises(InputError, match=message):
        pictures.save(figure, tmp_path / name)
    assert os.listdir(tmp_path) == ["dir.png"]


def test_a_parent_that_is_a_file(figure, tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(InputError, match="could not be written"):
        pictures.save(figure, tmp_path / "f" / "a.png")


def test_the_users_settings_neither_show_nor_change(tmp_path):
    def picture(name):
        history = {"elbo": [-3.0, -2.0], "val_elbo": [-4.0, -3.0]}
        return pictures.save(pictures.learning_curves(history), tmp_path / name).read_bytes()

    plain = picture("plain.png")
    theirs = {"axes.facecolor": "black", "font.size": 30, "xtick.labelsize": 2, "savefig.dpi": 10}
    with matplotlib.rc_context(theirs):
        before = dict(matplotlib.rcParams)
        assert picture("dark.png") == plain
        assert dict(matplotlib.rcParams) == before
