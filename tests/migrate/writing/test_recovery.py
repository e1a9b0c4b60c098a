"""What killed calls leave behind: the next call puts it right, or says what has to be done by hand."""

import json
import os
import time
from pathlib import Path

import pytest

from migrate.writing import journal
from migrate.writing import locked
from migrate.writing.journal import DONE
from migrate.writing.journal import UNDONE
from schema.errors import InputError
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import state
from tests.migrate.writing.writer import write


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    for name in ("a.yaml", "sub/b.yaml", "sub/c.yaml"):
        (root / name).write_text("old\n")
    return root


ALL = dict.fromkeys(["a.yaml", "sub/b.yaml", "sub/c.yaml", "new/d.yaml"], b"new\n")


def leave(root, after, contents=ALL):
    """Leaves what a call leaves that is killed right after it has put a file in its place."""

    def act(number, name, real, *args):
        done = real(*args)
        if name == "replace" and args[1] == root / after:
            os._exit(0)
        return done

    child = os.fork()
    if child == 0:
        with interposed(act):
            write({root / name: content for name, content in contents.items()})
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def backup(file):
    return next(file.parent.glob(f".{file.name}.*.old"))


def test_what_was_replaced_goes_back_and_that_is_said(project, capsys):
    before = state(project)
    leave(project, "sub/b.yaml")
    assert (project / "sub/b.yaml").read_text() == "new\n"
    recover(project / "a.yaml")
    assert state(project) == before
    assert capsys.readouterr().err == (
        f"note: {project}/{UNDONE}: a call was killed while it wrote 4 files;"
        f" put back as they were: {project}/a.yaml, {project}/sub/b.yaml\n"
    )


def test_the_very_file_comes_back(project):
    was = (project / "a.yaml").stat()
    leave(project, "sub/c.yaml")
    recover(project / "a.yaml")
    now = (project / "a.yaml").stat()
    assert (now.st_ino, now.st_mtime_ns) == (was.st_ino, was.st_mtime_ns)


def test_a_call_that_was_done_stays_done(project, capsys):
    leave(project, DONE)
    recover(project / "a.yaml")
    assert [p.read_text() for p in sorted(project.rglob("*.yaml"))] == ["new\n"] * 4
    assert not list(project.rglob(".*"))
    assert (
        "removed the leftovers of a call that was killed after it had written its files" in capsys.readouterr().err
    )


@pytest.mark.parametrize("file", ["a.yaml", "sub/b.yaml", "sub/other.yaml", "not/there.yaml"])
def test_a_call_on_any_file_of_the_tree_finds_it(project, file):
    before = state(project)
    leave(project, "a.yaml")
    recover(project / file)
    assert state(project) == before


def test_a_call_on_a_part_of_loose_files_finds_it(project):
    (project / "pyproject.toml").unlink()
    before = state(project)
    leave(project, "a.yaml", {"a.yaml": b"new\n", "sub/b.yaml": b"new\n"})
    recover(project / "sub/c.yaml")
    assert state(project) == before


def test_a_call_that_only_reads_says_it_and_changes_nothing(project):
    leave(project, "a.yaml")
    before = state(project)
    with pytest.raises(InputError) as caught, locked([project / "a.yaml"], alone=False):
        pass
    assert str(caught.value) == (
        f"{project}/{UNDONE}:1:1: a call was killed while it wrote 4 files: some may be new and others old;"
        " migrate-config --write puts them back as they were, and then continues"
    )
    assert state(project) == before


@pytest.mark.parametrize("after", [DONE, None], ids=["done", "torn journal"])
def test_a_call_that_only_reads_goes_on_where_the_files_are_whole(project, after, capsys):
    if after:
        leave(project, after)
    else:
        (project / UNDONE).write_text('{"version": 1, "cal')
    before = state(project)
    with locked([project / "a.yaml"], alone=False):
        pass
    assert state(project) == before
    assert (
        "a call was killed, but the files are whole; the next call with --write cleans up"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("text", ["", '{"version": 1, "cal', "\0" * 500])
def test_a_journal_that_was_never_completed_goes(project, text):
    before = state(project)
    (project / UNDONE).write_text(text)
    recover(project / "a.yaml")
    assert state(project) == before


def test_a_file_changed_by_hand_since_is_not_overwritten(project):
    leave(project, "sub/b.yaml")
    (project / "sub/b.yaml").write_text("by hand\n")
    before = state(project)
    with pytest.raises(InputError) as caught:
        recover(project / "a.yaml")
    assert str(caught.value).startswith(
        f"{project}/sub/b.yaml:1:1: was changed by hand after a call of migrate-config"
    )
    assert f"Move {backup(project / 'sub/b.yaml')} over it" in str(caught.value)
    assert state(project) == before


@pytest.mark.parametrize("choice", ["the old one", "the one by hand", "the old one, retyped", "removed"])
def test_what_to_do_about_a_file_changed_by_hand(project, choice):
    wanted = state(project)
    leave(project, "sub/b.yaml")
    file = project / "sub/b.yaml"
    file.write_text("by hand\n")
    if choice == "the old one":
        backup(file).replace(file)
    elif choice == "the one by hand":
        backup(file).unlink()
        wanted["sub/b.yaml"] = (0o644, b"by hand\n")
    elif choice == "the old one, retyped":
        file.write_text("old\n")
    else:
        backup(file).unlink()
        file.unlink()
        del wanted["sub/b.yaml"]
    recover(project / "a.yaml")
    assert state(project) == wanted


def test_a_file_changed_by_hand_before_its_turn_stays(project):
    wanted = state(project)
    leave(project, "a.yaml")
    (project / "sub/c.yaml").write_text("by hand\n")
    wanted["sub/c.yaml"] = (0o644, b"by hand\n")
    recover(project / "a.yaml")
    assert state(project) == wanted


def test_a_new_file_changed_by_hand_since_stays(project):
    wanted = state(project)
    leave(project, "new/d.yaml")
    (project / "new/d.yaml").write_text("by hand\n")
    recover(project / "a.yaml")
    assert state(project) == wanted | {"new": (0o755, None), "new/d.yaml": (0o644, b"by hand\n")}


def test_a_folder_in_which_somebody_put_something_stays(project):
    wanted = state(project)
    leave(project, "new/d.yaml")
    (project / "new/e.yaml").write_text("by hand\n")
    recover(project / "a.yaml")
    assert state(project) == wanted | {"new": (0o755, None), "new/e.yaml": (0o644, b"by hand\n")}


@pytest.mark.parametrize("again", [None, "old\n"])
def test_a_file_that_was_to_go_comes_back(project, again):
    wanted = state(project)
    leave(project, "a.yaml", {"sub/b.yaml": None, "a.yaml": b"new\n"})
    assert not (project / "sub/b.yaml").exists()
    if again:
        (project / "sub/b.yaml").write_text(again)
    recover(project / "a.yaml")
    assert state(project) == wanted


def test_a_file_that_was_to_go_and_was_made_anew_stays(project):
    leave(project, "a.yaml", {"sub/b.yaml": None, "a.yaml": b"new\n"})
    (project / "sub/b.yaml").write_text("by hand\n")
    before = state(project)
    with pytest.raises(InputError, match=r"sub/b.yaml:1:1: was changed by hand"):
        recover(project / "a.yaml")
    assert state(project) == before


@pytest.mark.parametrize("name", ["a.yaml", "sub"])
def test_what_was_staged_is_gone(project, name):
    # Somebody cleaned up by hand, but for the journal and the backups.
    before = state(project)
    leave(project, "a.yaml")
    for path in project.rglob(".*.new"):
        path.unlink()
    recover(project / name)
    assert state(project) == before


def edited(root, **values):
    file = root / UNDONE
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def elsewhere(root):
    edited(root, caller={"pid": 7, "host": "elsewhere", "boot": "another"})


@pytest.mark.parametrize("alone", [True, False])
def test_a_call_on_another_machine_may_live(project, alone):
    leave(project, "a.yaml")
    elsewhere(project)
    before = state(project)
    with pytest.raises(InputError) as caught, locked([project / "a.yaml"], alone=alone):
        pass
    assert str(caught.value) == (
        f"{project}/{UNDONE}:1:1: process 7 on elsewhere writes here, or was killed less than 10 minutes ago;"
        " nothing was written; try again later"
    )
    assert state(project) == before


def test_a_call_on_another_machine_is_over_after_ten_minutes(project):
    before = state(project)
    leave(project, "a.yaml")
    elsewhere(project)
    past = time.time() - 601
    os.utime(project / UNDONE, (past, past))
    recover(project / "a.yaml")
    assert state(project) == before


@pytest.mark.parametrize("same", ["host", "boot"])
def test_a_call_before_a_restart_or_in_another_container_is_over(project, same):
    before = state(project)
    leave(project, "a.yaml")
    caller = json.loads((project / UNDONE).read_text())["caller"]
    other = {"host": "boot", "boot": "host"}[same]
    edited(project, caller=caller | {other: "another"})
    recover(project / "a.yaml")
    assert state(project) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of somebody else")
def test_another_users_journal(project):
    leave(project, "a.yaml")
    os.chown(project / UNDONE, 12345, 12345)
    before = state(project)
    with pytest.raises(InputError, match=r"left by a call of another user \(id 12345\) that was killed"):
        recover(project / "a.yaml")
    assert state(project) == before
    os.chown(project / UNDONE, 0, 0)
    (project / UNDONE).rename(project.parent / UNDONE)
    os.chown(project.parent / UNDONE, 12345, 12345)
    recover(project / "a.yaml")
    assert (project.parent / UNDONE).exists(), "in a folder above, it is nobody's business"


@pytest.mark.parametrize(
    "target",
    ["../outside.yaml", "/etc/hostname", "link/outside.yaml", "sub/../sub/b.yaml", "..", ".", "sub/..", 7, None],
)
def test_a_journal_that_leads_elsewhere_is_not_followed(project, target):
    (project.parent / "outside.yaml").write_text("new\n")
    (project / "link").symlink_to("..")
    leave(project, "a.yaml")
    plain = json.loads((project / UNDONE).read_text())
    plain["files"][0]["target"] = target
    (project / UNDONE).write_text(json.dumps(plain))
    before = state(project.parent)
    with pytest.raises(InputError, match="is not a journal that this version of migrate-config understands"):
        recover(project / "a.yaml")
    assert state(project.parent) == before


@pytest.mark.parametrize(
    "plain", [[], {}, 1, {"version": 2}, {"version": 1, "caller": {}, "folders": [], "files": []}]
)
def test_a_journal_of_something_else(project, plain):
    (project / UNDONE).write_text(json.dumps(plain))
    with pytest.raises(InputError, match="is not a journal that this version of migrate-config understands"):
        recover(project / "a.yaml")


@pytest.mark.parametrize("token", ["x/../../a", "", 5])
def test_a_token_is_no_path(project, token):
    leave(project, "a.yaml")
    plain = json.loads((project / UNDONE).read_text())
    plain["files"][0]["token"] = token
    (project / UNDONE).write_text(json.dumps(plain))
    with pytest.raises(InputError, match="is not a journal"):
        recover(project / "a.yaml")


def test_names_that_are_no_text(project):
    odd = Path(os.fsdecode(os.fsencode(project) + b"/\xff.yaml"))
    odd.write_text("old\n")
    before = state(project)
    leave(project, odd.name, {"a.yaml": b"new\n", odd.name: b"new\n"})
    recover(project / "a.yaml")
    assert state(project) == before


def test_a_system_without_a_boot_id(project, monkeypatch, tmp_path):
    monkeypatch.setattr(journal, "_BOOT", tmp_path / "none")
    before = state(project)
    leave(project, "a.yaml")
    recover(project / "a.yaml")
    assert state(project) == before
