"""Writing: all files or none; modes, owners and links stay, nothing is left behind; what is refused."""

import errno
import os
import stat
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.writing import Change
from migrate.writing import locked
from schema.errors import InputError
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.writer import change
from tests.migrate.writing.writer import mode
from tests.migrate.writing.writer import new
from tests.migrate.writing.writer import state
from tests.migrate.writing.writer import write

CASES = Path(__file__).parents[1] / "cases"

#: A user and a group that own nothing.
NOBODY, NOGROUP = 65534, 65533


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
    assert state(tmp_path) == {
        "deep": (0o750, None),
        "deep/down": (0o750, None),
        "deep/down/a.yaml": (0o640, b"a\n"),
    }


def test_nothing_to_write_is_no_problem(three, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in three}
    write({path: path.read_bytes() for path in three})
    assert {path: path.stat().st_mtime_ns for path in three} == before


def test_a_file_that_goes(three, tmp_path):
    write({**new(three[:2]), three[2]: None})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]


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


def test_owner_and_group_stay(three):
    # Tests as root can see it; for others the owner cannot differ.
    owner = (12345, 23456) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(three[0], *owner)
    three[0].chmod(0o4750)
    write(new(three))
    assert (three[0].stat().st_uid, three[0].stat().st_gid, mode(three[0])) == (*owner, 0o4750)


def test_extended_attributes_stay(three):
    with suppress(OSError):  # a file system without them
        os.setxattr(three[0], "user.note", b"kept")
    before = os.listxattr(three[0])
    write(new(three))
    assert os.listxattr(three[0]) == before


def test_a_file_system_without_hard_links(three, tmp_path):
    def act(number, name, real, *args):
        if name == "link":
            raise OSError(errno.EPERM, "Operation not permitted")
        return real(*args)

    with interposed(act):
        write(new(three))
    assert [path.read_text() for path in three] == ["new a\n", "new b\n", "new c\n"]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_sync_folders(three, error):
    def act(number, name, real, *args):
        if name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode):
            raise OSError(error, os.strerror(error))
        return real(*args)

    with interposed(act):
        write(new(three))
    assert [path.read_text() for path in three] == ["new a\n", "new b\n", "new c\n"]


def refuse(paths, reason, name, tmp_path):
    before = state(tmp_path)
    with pytest.raises(InputError) as caught:
        write(new(paths))
    assert reason in caught.value.message
    assert caught.value.message.endswith("; no file was changed")
    assert caught.value.place.file == name
    assert state(tmp_path) == before


def test_a_folder_in_the_place_of_a_file(three, tmp_path):
    folder = tmp_path / "d.yaml"
    folder.mkdir()
    before = state(tmp_path)
    with locked(three, alone=True) as session, pytest.raises(InputError, match=r"d.yaml:1:1: .* is a directory"):
        session.write([*(change(path, b"new\n") for path in three), Change(folder, b"", b"new\n")])
    assert state(tmp_path) == before


def test_something_else_in_the_place_of_a_file(three, tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with (
        locked(three, alone=True) as session,
        pytest.raises(InputError, match=r"pipe.yaml.* is not a regular file"),
    ):
        session.write([*(change(path, b"new\n") for path in three), Change(pipe, b"", b"new\n")])
    assert three[0].read_text() == "old a\n"


def test_a_file_in_the_place_of_a_folder(three, tmp_path):
    refuse([*three[:2], three[0] / "below.yaml"], "file exists", three[0], tmp_path)


def test_a_name_that_is_too_long(three, tmp_path):
    refuse([*three[:2], tmp_path / ("x" * 250)], "file name too long", tmp_path / ("x" * 250), tmp_path)


def test_a_file_with_hard_links(three, tmp_path):
    (tmp_path / "d.yaml").hardlink_to(three[1])
    refuse(three, "has 2 names (hard links), and the others would keep the old text", three[1], tmp_path)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_that_leads_out_of_the_project(three, tmp_path, kind):
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").touch()
    (root / "link").symlink_to(three[0] if kind == "file" else tmp_path)
    named = root / "link" if kind == "file" else root / "link/a.yaml"
    refuse([*three[1:], named], f"leads to {three[0]}, which is outside the project root", named, tmp_path)


def test_a_project_that_is_reached_through_a_link(three, tmp_path):
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    three[0].rename(root / "a.yaml")
    (tmp_path / "link").symlink_to("project")
    write({tmp_path / "link/a.yaml": b"new\n"})
    assert (root / "a.yaml").read_bytes() == b"new\n"


@contextmanager
def unprivileged(*folders):
    """Runs as nobody, if this is root, who is above all permissions."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    for path in folders:
        os.chown(path, NOBODY, NOGROUP)
    os.setgroups([])
    os.setresgid(NOGROUP, NOGROUP, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


@pytest.fixture
def common(three, tmp_path):
    """The folder of the three files; nobody may come there, too."""
    closed = [folder for folder in tmp_path.parents if not mode(folder) & 0o001]
    for folder in closed:
        folder.chmod(mode(folder) | 0o001)
    yield tmp_path
    for folder in closed:
        folder.chmod(mode(folder) & ~0o001)


def test_a_read_only_file(three, common):
    three[1].chmod(0o444)
    before = state(common)
    with unprivileged(common, *three), pytest.raises(InputError) as caught:
        write(new(three))
    assert str(caught.value) == f"{three[1]}:1:1: cannot be written: permission denied; no file was changed"
    assert state(common) == before


def test_a_read_only_folder(three, common):
    (common / "sub").mkdir()
    three[2].rename(common / "sub/c.yaml")
    (common / "sub").chmod(0o555)
    before = state(common)
    paths = [*three[:2], common / "sub/c.yaml"]
    with unprivileged(common, *paths), pytest.raises(InputError) as caught:
        write(new(paths))
    assert str(caught.value) == f"{paths[2]}:1:1: cannot be written: permission denied; no file was changed"
    assert state(common) == before


def test_a_project_whose_root_is_read_only(three, common):
    (common / "pyproject.toml").touch()
    (common / "sub").mkdir()
    three[0].rename(common / "sub/a.yaml")
    common.chmod(0o555)
    with unprivileged(common / "sub", common / "sub/a.yaml"), pytest.raises(InputError) as caught:
        write(new([common / "sub/a.yaml"]))
    common.chmod(0o755)
    assert "cannot be written: permission denied; no file was changed" in str(caught.value)
    assert (common / "sub/a.yaml").read_text() == "old a\n"


def test_a_folder_that_may_not_be_entered(three, common):
    (common / "sub").mkdir()
    (common / "sub").chmod(0)
    with unprivileged(common, *three), pytest.raises(InputError) as caught:
        write({three[0]: b"new\n", common / "sub/deep/d.yaml": b"new\n"})
    assert caught.value.message.endswith(": permission denied; nothing was written")
    assert three[0].read_text() == "old a\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of somebody else")
def test_somebody_elses_file_in_a_folder_of_ours_becomes_ours_and_that_is_said(three, common, capsys):
    three[0].chmod(0o666)
    with unprivileged(common, *three[1:]):
        os.setresuid(0, 0, 0)
        os.chown(three[0], 12345, NOGROUP)
        os.setresuid(NOBODY, NOBODY, 0)
        write(new(three))
    assert (three[0].stat().st_uid, three[0].stat().st_gid, mode(three[0])) == (NOBODY, NOGROUP, 0o666)
    assert (
        "a.yaml: is yours now; only root can leave it to the user (id 12345) that it had"
        in capsys.readouterr().err
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of somebody else")
def test_a_group_that_cannot_be_kept_is_refused(three, common):
    with unprivileged(common, *three):
        os.setresuid(0, 0, 0)
        os.chown(three[1], NOBODY, 12345)
        os.setresuid(NOBODY, NOBODY, 0)
        before = state(common)
        with pytest.raises(InputError) as caught:
            write(new(three))
        assert state(common) == before
    assert "only members of its group (id 12345) can keep it; no file was changed" in str(caught.value)


def test_the_time_of_change_is_now(three):
    for path in three:
        os.utime(path, (1, 1))
    write({three[0]: b"new\n", three[1]: three[1].read_bytes()})
    assert three[0].stat().st_mtime > 1
    assert three[1].stat().st_mtime == 1


def test_the_command_says_what_could_not_be_written(root, files, migrate):
    preset = CASES / "self-contained/before/preset.yaml"
    (root / "preset.yaml").write_bytes(preset.read_bytes())
    (root / "out").write_text("in the way\n")
    before = files()
    ran = migrate("--write", "--output-dir", "out/deep", "preset.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: out:1:1: cannot be written: file exists; no file was changed\n"
    assert files() == before
