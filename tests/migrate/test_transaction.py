"""Writing: all files or none, whatever fails; modes and links stay, nothing is left behind."""

import errno
import os
import stat
from pathlib import Path

import pytest

from migrate import transaction
from migrate.transaction import write
from schema.errors import InputError


@pytest.fixture
def three(tmp_path):
    """Three files with different modes."""
    paths = [tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")]
    for path, mode in zip(paths, (0o644, 0o600, 0o755), strict=True):
        path.write_text(f"old {path.stem}\n")
        path.chmod(mode)
    return paths


def new(paths):
    return {path: f"new {path.stem}\n".encode() for path in paths}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def state(folder):
    """Every name below a folder, with what it is."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file()
        else str(path.readlink())
        if path.is_symlink()
        else ""
        for path in folder.rglob("*")
    }


def test_all_are_written_and_modes_stay(three, tmp_path):
    modes = [mode(path) for path in three]
    write(new(three))
    assert [path.read_text() for path in three] == ["new a\n", "new b\n", "new c\n"]
    assert [mode(path) for path in three] == modes
    assert len(list(tmp_path.iterdir())) == 3


def test_new_files_and_folders_get_the_usual_modes(tmp_path):
    mask = os.umask(0o027)
    try:
        write({tmp_path / "deep/down/a.yaml": b"a\n"})
    finally:
        os.umask(mask)
    assert (tmp_path / "deep/down/a.yaml").read_bytes() == b"a\n"
    assert mode(tmp_path / "deep/down/a.yaml") == 0o640
    assert [path.name for path in (tmp_path / "deep/down").iterdir()] == ["a.yaml"]


def test_nothing_to_write_is_no_problem(tmp_path):
    write({})
    assert state(tmp_path) == {}


@pytest.mark.parametrize("link", ["relative", "absolute", "chain"])
def test_links_are_followed_and_stay(tmp_path, link):
    (tmp_path / "real").mkdir()
    target = tmp_path / "real/a.yaml"
    target.write_text("old\n")
    target.chmod(0o640)
    named = tmp_path / "a.yaml"
    named.symlink_to({"relative": "real/a.yaml", "absolute": target, "chain": "middle.yaml"}[link])
    (tmp_path / "middle.yaml").symlink_to("real/a.yaml")
    pointed = named.readlink()
    write({named: b"new\n"})
    assert named.is_symlink()
    assert named.readlink() == pointed
    assert (target.is_symlink(), target.read_bytes(), mode(target)) == (False, b"new\n", 0o640)
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a.yaml"]


def test_two_names_of_one_file_are_written_once(three, tmp_path):
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    write({tmp_path / "link.yaml": b"new\n", three[0]: b"new\n"})
    assert three[0].read_bytes() == b"new\n"
    assert len(list(tmp_path.iterdir())) == 4


def test_two_names_of_one_file_must_agree(three, tmp_path):
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    before = state(tmp_path)
    with pytest.raises(InputError, match=r"link.yaml:1:1: is another name of a file that would get other content"):
        write({**new(three), tmp_path / "link.yaml": b"other\n"})
    assert state(tmp_path) == before


def test_owner_stays(three):
    # Tests as root can see it; for others the owner cannot differ.
    owner = (12345, 23456) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(three[0], *owner)
    write(new(three))
    assert (three[0].stat().st_uid, three[0].stat().st_gid) == owner


def refuse(paths, reason, name, tmp_path):
    before = state(tmp_path)
    with pytest.raises(InputError) as caught:
        write(new(paths))
    assert reason in caught.value.message
    assert "no file was changed" in caught.value.message
    assert caught.value.place.file == name
    assert state(tmp_path) == before


def test_a_folder_in_the_place_of_the_last_file(three, tmp_path):
    # Staging works beside it; only the rename fails, when the others are already replaced.
    three[2].unlink()
    (three[2] / "inside").mkdir(parents=True)
    refuse(three, "is a directory", three[2], tmp_path)


def test_a_file_in_the_place_of_a_folder(three, tmp_path):
    refuse([*three[:2], three[0] / "below.yaml"], "file exists", three[0] / "below.yaml", tmp_path)


def test_a_name_that_is_too_long(three, tmp_path):
    refuse([*three[:2], tmp_path / ("x" * 250)], "file name too long", tmp_path / ("x" * 250), tmp_path)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_rename_that_fails_undoes_the_ones_before(three, tmp_path, monkeypatch, failing):
    rename = Path.replace
    left = [failing]

    def replace(self, target):
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(self), None, str(target))
        left[0] -= 1
        return rename(self, target)

    modes = [mode(path) for path in three]
    monkeypatch.setattr(Path, "replace", replace)
    refuse(three, "no space left on device", three[failing], tmp_path)
    assert [mode(path) for path in three] == modes


@pytest.mark.parametrize("failing", [1, 2])
def test_files_that_were_not_there_go_again(tmp_path, monkeypatch, failing):
    rename = Path.replace
    left = [failing]

    def replace(self, target):
        if left[0] == 0:
            raise OSError(errno.EIO, "Input/output error", str(self), None, str(target))
        left[0] -= 1
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    paths = [tmp_path / name for name in ("a", "b", "c")]
    refuse(paths, "input/output error", paths[failing], tmp_path)


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("call", ["fsync", "chown"])
def test_a_disk_that_fails_while_staging(three, tmp_path, monkeypatch, call, failing):
    real = getattr(os, call)
    left = [failing]

    def fail(*args):
        if left[0] == 0:
            raise OSError(errno.EIO, "Input/output error")
        left[0] -= 1
        return real(*args)

    monkeypatch.setattr(transaction.os, call, fail)
    refuse(three, "input/output error", three[failing], tmp_path)


def test_an_interrupt_undoes_too(three, tmp_path, monkeypatch):
    rename = Path.replace
    before = state(tmp_path)

    def replace(self, target):
        if Path(target) == three[2]:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write(new(three))
    assert state(tmp_path) == before


def test_someone_without_the_right_to_write_is_refused(three, tmp_path, monkeypatch):
    # Root may write everything, so the answer of the kernel is given for it.
    three[1].chmod(0o444)
    monkeypatch.setattr(transaction.os, "access", lambda path, how: bool(Path(path).stat().st_mode & stat.S_IWUSR))
    refuse(three, "permission denied", three[1], tmp_path)


def test_the_command_says_what_could_not_be_written(root, files, migrate):
    preset = Path(__file__).parent / "cases/self-contained/before/preset.yaml"
    (root / "preset.yaml").write_bytes(preset.read_bytes())
    (root / "out").write_text("in the way\n")
    before = files()
    ran = migrate("--write", "--output-dir", "out/deep", "preset.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: out/deep/preset.yaml:1:1: cannot be written: ")
    assert files() == before
