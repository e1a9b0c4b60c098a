"""Writing: files that somebody else touches meanwhile, and interrupts."""

from pathlib import Path

import pytest

from migrate import commands
from migrate.plan import plan
from migrate.writing import Change
from migrate.writing import locked
from migrate.writing.journal import DONE
from schema.errors import InputError
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.writer import change
from tests.migrate.writing.writer import new
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import state
from tests.migrate.writing.writer import write

CASES = Path(__file__).parents[1] / "cases"


def touched(event, path):
    if event == "changed":
        path.write_text("by hand\n")
    elif event == "removed":
        path.unlink()
    else:
        path.with_name("d.yaml").write_text("by hand\n")


@pytest.mark.parametrize("event", ["changed", "removed", "created"])
@pytest.mark.parametrize("written", [True, False])
def test_a_file_that_somebody_touched_since_it_was_read(three, tmp_path, event, written):
    fresh = Change(tmp_path / "d.yaml", None, b"new\n")
    changes = [*(change(path, b"new\n") for path in three[:2]), fresh]
    changes.append(change(three[2], b"new\n" if written else three[2].read_bytes()))
    touched(event, three[2])
    before = state(tmp_path)
    with locked(three, alone=True) as session, pytest.raises(InputError) as caught:
        session.write(changes)
    assert caught.value.message == f"was {event} by someone else since it was read; no file was changed"
    assert caught.value.place.file == (fresh.path if event == "created" else three[2])
    assert state(tmp_path) == before


@pytest.mark.parametrize("written", [True, False])
def test_a_file_that_somebody_touches_while_others_are_prepared(three, tmp_path, written):
    changes = [change(three[0], b"new\n"), change(three[1], b"new\n" if written else three[1].read_bytes())]

    def act(number, name, real, *args):
        if name == "link":
            touched("changed", three[1])
        return real(*args)

    with interposed(act), locked(three, alone=True) as session, pytest.raises(InputError) as caught:
        session.write(changes)
    assert caught.value.place.file == three[1]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.yaml": "old a\n",
        "b.yaml": "by hand\n",
        "c.yaml": "old c\n",
    }


@pytest.mark.parametrize("event", ["changed", "removed", "created"])
def test_a_file_that_somebody_touches_while_others_are_replaced(three, tmp_path, event):
    fresh = Change(tmp_path / "d.yaml", None, b"new\n")
    changes = [*(change(path, b"new\n") for path in three), fresh]

    def act(number, name, real, *args):
        if name == "replace" and args[0].suffix == ".new" and args[1] == three[1]:
            touched(event, three[2])
        return real(*args)

    with interposed(act), locked(three, alone=True) as session, pytest.raises(InputError) as caught:
        session.write(changes)
    assert caught.value.message == f"was {event} by someone else since it was read; no file was changed"
    expected = {"a.yaml": "old a\n", "b.yaml": "old b\n", "c.yaml": "old c\n"}
    if event == "changed":
        expected["c.yaml"] = "by hand\n"
    elif event == "removed":
        del expected["c.yaml"]
    else:
        expected["d.yaml"] = "by hand\n"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == expected


def test_an_interrupt_undoes_too(three, tmp_path):
    before = state(tmp_path)

    def act(number, name, real, *args):
        if name == "replace" and Path(args[1]) == three[2]:
            raise KeyboardInterrupt
        return real(*args)

    with interposed(act), pytest.raises(KeyboardInterrupt):
        write(new(three))
    assert state(tmp_path) == before


def test_an_interrupt_when_all_is_done_undoes_nothing(three, tmp_path):
    def act(number, name, real, *args):
        done = real(*args)
        if name == "replace" and args[1].name == DONE:
            raise KeyboardInterrupt
        return done

    with interposed(act), pytest.raises(KeyboardInterrupt):
        write(new(three))
    recover(*three)
    assert [path.read_text() for path in three] == ["new a\n", "new b\n", "new c\n"]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.fixture
def family(root):
    """A parent that is to change, and a child that is not: its text was planned on what the parent says."""
    for name in ("parent.yaml", "child.yaml"):
        (root / name).write_bytes((CASES / "parent-and-child/before" / name).read_bytes())
    for folder in (root, root / "out"):
        folder.mkdir(exist_ok=True)
        (folder / "base.yaml").write_bytes((CASES / "base.yaml").read_bytes())
    return root


@pytest.mark.parametrize("victim", ["parent.yaml", "child.yaml"])
@pytest.mark.parametrize("options", [[], ["--output-dir", "out"]])
def test_the_command_refuses_what_changed_after_planning(family, migrate, monkeypatch, victim, options):
    def planned(*args):
        made = plan(*args)
        (family / victim).write_text("by: hand\n")
        return made

    monkeypatch.setattr(commands, "plan_all", planned)
    wanted = state(family) | {victim: (0o644, b"by: hand\n")}
    ran = migrate("--write", *options, "parent.yaml", "child.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: {victim}:1:1: was changed by someone else since it was read; no file was changed\n"
    assert state(family) == wanted
