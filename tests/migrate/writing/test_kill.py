"""kill -9 at every step: no file is ever torn, and the next call finds or makes one whole tree."""

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from migrate.cli import main
from migrate.writing import Change
from migrate.writing import locked
from tests.migrate.writing.faults import interposed
from tests.migrate.writing.faults import killed_at
from tests.migrate.writing.writer import change
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import state

OLD, NEW = b"old: 1\n" * 300, b"new: 2\n" * 500


def project(root):
    """Files in several folders, one behind a link, one that no other user may read, one that is to go."""
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in ("a.yaml", "sub/b.yaml", "sub/real.yaml", "sub/gone.yaml"):
        (root / name).write_bytes(OLD)
    (root / "sub/b.yaml").chmod(0o600)
    (root / "link.yaml").symlink_to("sub/real.yaml")
    return root


def rewrite(root):
    """Replaces three files, removes one, and makes one in a folder that is not there."""
    changes = [change(root / name, NEW) for name in ("a.yaml", "sub/b.yaml", "link.yaml")]
    changes += [Change(root / "sub/gone.yaml", OLD, None), Change(root / "deep/down/c.yaml", None, NEW)]
    with locked([change.path for change in changes], alone=True) as session:
        session.write(changes)


@pytest.fixture
def sides(memory):
    """The tree before and after."""
    old = project(memory / "old")
    new = project(memory / "new")
    rewrite(new)
    return state(old), state(new)


def refuse_torn(root, sides):
    for name, (bits, what) in state(root).items():
        if not name.rpartition("/")[2].startswith(".") and isinstance(what, bytes):
            assert (bits, what) in [side[name] for side in sides if name in side], f"{name} is torn"


def test_killed_at_every_step_of_a_write(memory, sides):
    ends = set()
    for step in count(1):
        root = project(memory / str(step))
        if not killed_at(step, lambda root=root: rewrite(root)):
            break
        refuse_torn(root, sides)
        recover(root / "a.yaml")
        assert state(root) in sides
        ends.add(sides.index(state(root)))
    assert ends == {0, 1}
    assert step > 60


@pytest.mark.long
def test_killed_at_every_step_of_the_recovery_too(memory, sides):
    # Only what changes the disk makes a difference to the next call.
    ends, killed = set(), 0
    for step in steps_that_change(memory / "count"):
        for second in count(1):
            root = project(memory / f"{step}.{second}")
            killed_at(step, lambda root=root: rewrite(root))
            if not killed_at(second, lambda root=root: recover(root / "a.yaml")):
                break
            refuse_torn(root, sides)
            recover(root / "a.yaml")
            assert state(root) in sides
            ends.add(sides.index(state(root)))
            killed += 1
    assert ends == {0, 1}
    assert killed > 300


def steps_that_change(root):
    """The steps before which a kill leaves something that no earlier one does."""
    steps = []
    project(root)

    def act(number, name, real, *args):
        if name not in {"chmod", "fsync", "utime"} and not (name == "open" and not args[1] & os.O_CREAT):
            steps.append(number + 1)
        return real(*args)

    with interposed(act):
        rewrite(root)
    return steps


CASES = Path(__file__).parents[1] / "cases"


def presets(root, case):
    """A project with the presets of a case; what stood there goes.

    In the same folder again and again: what was read of the same text is remembered, also by a process that is
    killed.
    """
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(CASES / case / "before", root)
    shutil.copy(CASES / "base.yaml", root)
    (root / "pyproject.toml").write_text(
        '[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\nswift-version = "4.5.2"\n'
    )
    return root


def call(root, *args):
    """migrate-config in a project; its exit status."""
    os.chdir(root)
    with pytest.raises(SystemExit) as ended:
        main(args)
    return ended.value.code


@pytest.mark.parametrize(
    ("case", "args", "codes"),
    [
        pytest.param(
            *("child-with-its-own-knobs", ["child.yaml", "parent.yaml"], {0, 1, 2}), marks=pytest.mark.long
        ),
        ("self-contained", ["--output-dir", "out/there", "preset.yaml"], {1, 2}),
    ],
)
def test_the_command_killed_at_every_step(memory, monkeypatch, case, args, codes):
    monkeypatch.chdir(memory)
    root = memory / "project"
    old = state(presets(root, case))
    assert call(root, "--write", *args) == 0
    sides = old, state(root)
    assert sides[0] != sides[1]
    seen = set()
    for step in count(1):
        presets(root, case)
        if not killed_at(step, lambda: succeed(root, *args)):
            break
        refuse_torn(root, sides)
        before = state(root)
        seen.add(call(root, *args))
        assert state(root) == before, "a call without --write changes nothing"
        assert call(root, "--write", *args) == 0
        assert state(root) == sides[1]
    assert step > 30
    assert seen == codes


def succeed(root, *args):
    assert call(root, "--write", *args) == 0
