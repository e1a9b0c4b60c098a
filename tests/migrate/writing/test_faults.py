"""A disk that fails, at every call: the tree is as before or wholly new, and the message says which."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from schema.errors import InputError
from tests.migrate.writing.faults import INJECTED
from tests.migrate.writing.faults import Failing
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import state
from tests.migrate.writing.writer import write

OLD, NEW = b"old: 1\n" * 300, b"new: 2\n" * 500
ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT]


def project(root):
    """Files to replace and to remove; one is somebody else's where that can be made."""
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in ("a.yaml", "sub/b.yaml", "sub/gone.yaml"):
        (root / name).write_bytes(OLD)
    with suppress(PermissionError):
        os.chown(root / "a.yaml", 12345, 23456)
    with suppress(OSError):
        os.setxattr(root / "a.yaml", "user.note", b"kept")
    return root


def contents(root):
    return {
        root / "a.yaml": NEW,
        root / "sub/gone.yaml": None,
        root / "sub/b.yaml": NEW,
        root / "deep/c.yaml": NEW,
    }


@pytest.fixture
def sides(memory):
    """The tree before and after."""
    new = project(memory / "new")
    write(contents(new))
    return state(project(memory / "old")), state(new)


def refusal(root, fault):
    """Writes with a fault; the message of the refusal, if it is one."""
    with interposed(fault):
        try:
            return write(contents(root))
        except InputError as caught:
            return caught.message


def owners(root):
    return {name: ((root / name).stat().st_uid, (root / name).stat().st_gid) for name in ("a.yaml", "sub/b.yaml")}


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_one_call_fails(memory, sides, capsys, error):
    ends, hit = set(), set()
    for step in count(1):
        root = project(memory / str(step))
        owned, fault = owners(root), Failing(step, error)
        refused = refusal(root, fault)
        if fault.hit is None:
            break
        hit.add(fault.hit)
        said = capsys.readouterr().err
        if refused is not None:
            assert state(root) == sides[0], f"{fault.hit}: {refused}"
            assert refused.endswith(("no file was changed", "nothing was written"))
        elif "all files are written" in said:
            assert "the next call with --write removes it" in said
            recover(root / "a.yaml")
            assert state(root) == sides[1]
        else:  # a call that is not needed
            assert state(root) == sides[1]
            assert fault.hit in {"link", "setxattr"}  # an attribute that this user may not set does not stay
        assert owners(root) == owned
        ends.add(refused is None)
    assert ends == {False, True}
    assert hit >= {"open", "write", "fsync", "mkdir", "link", "utime", "chmod", "replace", "unlink"}


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_every_call_fails_from_one_on(memory, sides, capsys, error):
    told = set()
    for step in count(1):
        root, fault = project(memory / str(step)), Failing(step, error, lasting=True)
        refused = refusal(root, fault)
        if fault.hit is None:
            break
        said = capsys.readouterr().err
        before = state(root)
        recover(root / "a.yaml")
        end = sides.index(state(root))
        if refused is None:
            assert "all files are written" in said
            assert end == 1
            told.add("new")
        elif "not every file could be put back" in refused:
            assert "the next call with --write tries again" in refused
            assert end == 0
            told.add("mixed")
        else:
            before.pop(".migrate-config.undo", None)  # a journal of nothing
            assert before == state(root) == sides[0]
            told.add("old")
    assert told == {"new", "mixed", "old"}


@pytest.mark.parametrize("error", [errno.EIO, pytest.param(errno.EACCES, marks=pytest.mark.long)])
def test_recovery_fails_and_is_tried_again(memory, sides, error):
    for first in ("a.yaml", "sub/b.yaml", "deep/c.yaml", ".migrate-config.done"):
        for step in count(1):
            root = project(memory / f"{first.replace('/', '-')}{step}")
            interrupt(root, root / first)
            fault = Failing(step, error)
            with interposed(fault), suppress(InputError):
                recover(root / "a.yaml")
            if fault.hit is None:
                break
            recover(root / "a.yaml")
            assert state(root) == sides[first == ".migrate-config.done"]


def interrupt(root, target):
    """Leaves what a call leaves that is killed right after it has put something in its place."""

    def act(number, name, real, *args):
        done = real(*args)
        if name == "replace" and args[1] == target:
            os._exit(0)
        return done

    child = os.fork()
    if child == 0:
        with interposed(act):
            write(contents(root))
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_limit_on_the_size_of_files(memory, sides):
    # The kernel's own refusal: the disk is full in the middle of a write.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    root = project(memory / "tree")
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) // 2, limits[1]))
    try:
        with pytest.raises(InputError) as caught:
            write(contents(root))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    INJECTED["EFBIG, by the kernel"] += 1
    assert str(caught.value).endswith("a.yaml:1:1: cannot be written: file too large; no file was changed")
    assert state(root) == sides[0]


MOUNTS = ["unshare", "--map-root-user", "--mount"]


def may_mount():
    try:
        return subprocess.run([*MOUNTS, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_mount(), reason="no file system can be mounted here")
def test_disks_that_are_full(tmp_path):
    ran = subprocess.run(
        [*MOUNTS, sys.executable, "-m", "tests.migrate.writing.full_disk", tmp_path],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    INJECTED["ENOSPC, by the kernel"] += int(ran.stdout)
    assert int(ran.stdout) > 5
