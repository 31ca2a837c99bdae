import os
import resource

import pytest

from vae_tf.utils.atomic import remove_leftovers, replacing, write_text


@pytest.fixture
def tiny_disk():
    """Files cannot grow beyond 4 KiB: what a full disk is to a process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, tiny_disk):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="large") as caught:
        write_text(path, "x" * 10_000)
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_any_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half" * 10_000 + "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_appears_whole_and_replaces_none(tmp_path):
    path = tmp_path / "deep" / "folder"
    with replacing(path) as written:
        (written / "inner").mkdir(parents=True)
        (written / "inner" / "file").write_text("1")
        assert not path.exists()
    assert (path / "inner" / "file").read_text() == "1"
    with pytest.raises(OSError, match="not empty"), replacing(path) as written:
        written.mkdir()


def test_a_path_under_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"directory|exists") as caught:
        write_text(tmp_path / "file" / "a.txt", "x")
    assert caught.value.filename == str(tmp_path / "file" / "a.txt")


def test_leftovers_of_a_killed_process(tmp_path):
    (tmp_path / "checkpoints" / ".epoch-0001.keras.12ab.tmp").mkdir(parents=True)
    (tmp_path / "checkpoints" / ".epoch-0001.keras.12ab.tmp" / "half").write_text("")
    (tmp_path / ".a.png.12ab.tmp").write_text("")
    (tmp_path / "kept.tmp").write_text("")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["checkpoints", "kept.tmp"]
