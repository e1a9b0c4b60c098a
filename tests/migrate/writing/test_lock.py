"""Two calls at once on one tree: one waits, or is refused; whatever names they know the tree by."""

import errno
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate.writing import lock
from migrate.writing import locked
from schema.errors import InputError
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.faults import start_dying_at
from tests.migrate.writing.writer import change
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import write


@contextmanager
def another(*paths, alone=True):
    """Another process that has the trees of some files; ends with the block, or with SIGKILL before."""
    read, ready = os.pipe()
    child = os.fork()
    if child == 0:
        with locked(paths, alone=alone):
            os.write(ready, b"x")
            signal.pause()
    assert os.read(read, 1) == b"x"
    os.close(read)
    os.close(ready)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE", 0.2)


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for name in ("a.yaml", "sub/b.yaml"):
        (root / name).write_text("old\n")
    (tmp_path / "link").symlink_to("project/sub")
    return root


@pytest.fixture
def loose(tmp_path):
    """Files in no project."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for name in ("one/a.yaml", "two/b.yaml", "c.yaml"):
        (tmp_path / name).write_text("old\n")
    return tmp_path


def refused(paths, *, alone=True):
    try:
        with locked(paths, alone=alone):
            return False
    except InputError:
        return True


@pytest.mark.usefixtures("soon")
def test_the_second_call_is_refused_and_says_for_whom(project, capsys):
    with another(project / "a.yaml") as process, pytest.raises(InputError) as caught:
        write({project / "sub/b.yaml": b"new\n"})
    whom = f"another call of migrate-config (process {process})"
    assert str(caught.value) == (
        f"{project}: {whom} has been at work there for 0.2 s at least; nothing was written;"
        " try again when it has ended"
    )
    assert capsys.readouterr().err == f"note: {project}: waiting for {whom} to end\n"
    assert (project / "sub/b.yaml").read_text() == "old\n"


@pytest.mark.usefixtures("soon")
def test_without_proc_nobody_is_named(project, monkeypatch, tmp_path):
    monkeypatch.setattr(lock, "_LOCKS", tmp_path / "locks")
    with (
        another(project / "a.yaml"),
        pytest.raises(InputError, match="another call of migrate-config has been at work"),
    ):
        write({project / "a.yaml": b"new\n"})


def test_the_second_call_waits_for_the_first(project, capsys):
    with another(project / "a.yaml") as process:
        end = threading.Timer(0.3, os.kill, (process, signal.SIGKILL))
        end.start()
        write({project / "a.yaml": b"new\n"})
        end.join()
    assert (project / "a.yaml").read_text() == "new\n"
    assert "waiting for another call" in capsys.readouterr().err


def test_the_second_call_plans_on_what_the_first_wrote(project):
    target = project / "a.yaml"
    read, ready = os.pipe()
    child = os.fork()
    if child == 0:
        with locked([target], alone=True) as session:
            os.write(ready, b"x")
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            signal.sigwait([signal.SIGALRM])
            session.write([change(target, b"first\n")])
        os._exit(0)
    os.read(read, 1)
    with locked([target], alone=True) as session:
        assert target.read_bytes() == b"first\n"
        session.write([change(target, b"second\n")])
    assert os.waitpid(child, 0)[1] == 0
    assert target.read_bytes() == b"second\n"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("theirs", "ours", "both"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_calls_that_only_read_exclude_calls_that_write(project, theirs, ours, both):
    with another(project / "a.yaml", alone=theirs):
        assert refused([project / "a.yaml"], alone=ours) != both


@pytest.mark.usefixtures("soon")
def test_a_tree_is_the_same_by_any_name(project, tmp_path):
    with another(tmp_path / "link/b.yaml"):
        assert refused([project / "a.yaml"])
        assert refused([tmp_path / "link/new.yaml"])
        assert refused([project / "not/there/yet.yaml"])


@pytest.mark.usefixtures("soon")
def test_sets_of_loose_files_that_overlap(loose):
    with another(loose / "one/a.yaml", loose / "two/b.yaml"):
        assert refused([loose / "one/a.yaml"])
        assert refused([loose / "two/other.yaml"])
        assert not refused([loose / "c.yaml"])
    with another(loose / "one/a.yaml"):
        assert not refused([loose / "two/b.yaml"])
        assert refused([loose / "two/b.yaml", loose / "one/a.yaml"])


@pytest.mark.usefixtures("soon")
def test_a_project_inside_of_a_project_is_a_tree_of_its_own(project):
    (project / "sub/pyproject.toml").touch()
    with another(project / "sub/b.yaml"):
        assert not refused([project / "a.yaml"])
        with locked([project / "a.yaml"], alone=True) as session, pytest.raises(InputError, match="at work there"):
            session.write([change(project / "sub/b.yaml", b"new\n")])
    assert (project / "sub/b.yaml").read_text() == "old\n"


def test_a_lock_ends_with_its_process(project):
    with another(project / "a.yaml") as process:
        os.kill(process, signal.SIGKILL)
        write({project / "a.yaml": b"new\n"})
    assert (project / "a.yaml").read_text() == "new\n"


def test_nothing_is_left_open(project):
    before = sorted(Path("/proc/self/fd").iterdir())
    write({project / "a.yaml": b"new\n", project / "deep/c.yaml": b"new\n"})
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.usefixtures("soon")
def test_the_command_waits_too(project, migrate):
    with another(project / "a.yaml"):
        for options in ([], ["--check"], ["--write"]):
            ran = migrate(*options, project / "a.yaml")
            assert (ran.code, ran.out) == (2, "")
            assert "has been at work there" in ran.err


@pytest.mark.usefixtures("soon")
def test_the_journal_of_loose_files_belongs_to_one_call(loose):
    # It lies in the folder that they have in common, which is the tree of another file.
    with another(loose / "c.yaml"), pytest.raises(InputError, match=f"{loose}: another call of migrate-config"):
        write({loose / "one/a.yaml": b"new\n", loose / "two/b.yaml": b"new\n"})
    assert (loose / "one/a.yaml").read_text() == "old\n"


@pytest.mark.usefixtures("soon")
def test_a_call_that_waits_for_one_tree_does_not_keep_another(loose, monkeypatch):
    with another(loose / "two/b.yaml"):
        monkeypatch.setattr(lock, "PATIENCE", 60.0)
        waiting = start_dying_at(0, lambda: refused([loose / "one/a.yaml", loose / "two/b.yaml"]))
        monkeypatch.setattr(lock, "PATIENCE", 0.5)
        try:
            time.sleep(0.2)
            assert not refused([loose / "one/a.yaml"])
        finally:
            os.kill(waiting, signal.SIGKILL)
            os.waitpid(waiting, 0)


@pytest.mark.usefixtures("soon")
def test_what_turns_out_to_belong_to_it_is_locked_too(loose):
    # As when a call is killed, and leaves its journal, while this one waits.
    said = iter([[loose / "one"], [loose / "one", loose / "two"]])
    last = [loose / "one", loose / "two"]
    locks = lock.Locks(alone=True)
    locks.take(lambda: next(said, last))
    assert refused([loose / "two/b.yaml"])
    locks.release()
    assert not refused([loose / "two/b.yaml"])


def test_many_calls_at_once_leave_what_one_of_them_wrote(project):
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            paths = [project / "a.yaml", project / "sub/b.yaml"][:: (-1) ** number]
            with locked(paths, alone=True) as session:
                session.write([change(path, b"%d\n" % number) for path in paths])
            os._exit(0)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    assert (project / "a.yaml").read_text() == (project / "sub/b.yaml").read_text() != "old\n"
    assert sorted(path.name for path in project.rglob("*")) == ["a.yaml", "b.yaml", "pyproject.toml", "sub"]


@pytest.mark.parametrize("first", range(0, 40, 8))
def test_many_calls_at_once_of_which_each_is_killed_somewhere(project, first):
    files = [project / "a.yaml", project / "sub/b.yaml"]

    def call(number):
        with locked(files, alone=True) as session:
            assert files[0].read_bytes() == files[1].read_bytes(), "what a killed call left is put right by now"
            session.write([change(path, b"%d\n" % number) for path in files])

    children = [start_dying_at(number, lambda number=number: call(number)) for number in range(first, first + 8)]
    assert {os.waitpid(child, 0)[1] for child in children} <= {0, signal.SIGKILL}
    recover(*files)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert sorted(path.name for path in project.rglob("*")) == ["a.yaml", "b.yaml", "pyproject.toml", "sub"]


def test_a_folder_that_may_not_be_listed(project):
    # As when a colleague's home folder is the root of a project, and only some presets in it are for all.
    def act(number, name, real, *args):
        if name == "open" and args[0] == project:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(*args)

    with interposed(act):
        assert not refused([project / "a.yaml"], alone=False)
        with pytest.raises(InputError, match="project: cannot be locked: permission denied; nothing was written"):
            write({project / "a.yaml": b"new\n"})
    assert (project / "a.yaml").read_text() == "old\n"
