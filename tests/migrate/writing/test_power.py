"""A power cut at any step, and edits by hand after a kill at any step: one whole tree, and no edit is lost."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InputError
from tests.amounts import examples
from tests.migrate.writing.faults import INJECTED
from tests.migrate.writing.power import Trace
from tests.migrate.writing.writer import recover
from tests.migrate.writing.writer import write

FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - mkdtemp makes a folder that is nobody else's
OLD, NEW = b"old: 1\n" * 30, b"new: 2\n" * 50


class Scratch:
    """Fresh folders, gone at the end."""

    def __enter__(self):
        self.base = Path(tempfile.mkdtemp(dir=FOLDER))
        return self

    def __exit__(self, *failure):
        shutil.rmtree(self.base)

    def folder(self):
        return Path(tempfile.mkdtemp(dir=self.base))


def project(root):
    (root / "sub").mkdir()
    (root / "pyproject.toml").touch()
    for name in ("a.yaml", "sub/b.yaml", "sub/c.yaml", "sub/gone.yaml"):
        (root / name).write_bytes(OLD)
    return root


def rewrite(root):
    gone = {root / "sub/gone.yaml": None}
    write(gone | {root / name: NEW for name in ("sub/b.yaml", "a.yaml", "sub/c.yaml", "deep/down/d.yaml")})


def content(root):
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


@cache
def sides():
    """The tree before and after."""
    with Scratch() as scratch:
        old, new = project(scratch.folder()), project(scratch.folder())
        rewrite(new)
        return content(old), content(new)


def cut(scratch, root, run, share, chance):
    """Runs something; what the disk would hold, had the power been cut after a share of its steps."""
    trace = Trace(root)
    trace.record(run)
    step = round(share * len(trace.steps))
    left = scratch.folder()
    trace.cut(step, chance, left)
    INJECTED["edits after a kill" if chance is Keeping else "power cut"] += 1
    return left


def refuse_torn(root):
    names = ["a.yaml", "sub/b.yaml", "sub/c.yaml"]
    assert all((root / name).read_bytes() in {OLD, NEW} for name in names)
    for name, wanted in {"sub/gone.yaml": OLD, "deep/down/d.yaml": NEW}.items():
        assert not (root / name).exists() or (root / name).read_bytes() == wanted


@pytest.mark.long
@examples(400)
@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=3), chance=st.randoms(use_true_random=False))
def test_power_cuts(shares, chance):
    with Scratch() as scratch:
        root = project(scratch.folder())
        left = cut(scratch, root, lambda: rewrite(root), shares[0], chance)
        for share in shares[1:]:
            refuse_torn(left)
            left = cut(scratch, left, lambda left=left: recover(left / "a.yaml"), share, chance)
        refuse_torn(left)
        recover(left / "a.yaml")
        assert content(left) in sides()


class Keeping:
    """A chance that keeps everything: what a kill leaves, but for the power."""

    @staticmethod
    def random():
        return 0

    @staticmethod
    def randint(low, high):
        return high


NAMES = ["a.yaml", "sub/b.yaml", "sub/c.yaml", "sub/gone.yaml", "deep/down/d.yaml"]
EDITS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([b"by hand\n", OLD, NEW, None]))


def edit(root, edits):
    """Makes files by hand, in the way of an editor; None removes one."""
    for name, text in edits.items():
        file = root / name
        if text is None:
            file.unlink(missing_ok=True)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "saved").write_bytes(text)
        (file.parent / "saved").replace(file)


def settle(root):
    """Recovers; where that is refused for an edit, keeps the edit as the message says."""
    for _ in NAMES:
        before = content(root)
        try:
            return recover(root / "a.yaml")
        except InputError as refused:
            assert content(root) == before
            file = refused.place.file
            next(file.parent.glob(f".{file.name}.*.old")).unlink()
    return recover(root / "a.yaml")


@pytest.mark.long
@examples(300)
@given(share=st.floats(0, 1), edits=EDITS)
def test_edits_by_hand_after_a_kill(share, edits):
    with Scratch() as scratch:
        root = project(scratch.folder())
        left = cut(scratch, root, lambda: rewrite(root), share, Keeping)
        edit(left, edits)
        settle(left)
        after = content(left)
        by_hand = {name for name, text in edits.items() if text == b"by hand\n"}
        assert all(after[name] == b"by hand\n" for name in by_hand)
        others = [name for name in NAMES if name not in edits]
        assert [after.get(name) for name in others] in [[side.get(name) for name in others] for side in sides()]
