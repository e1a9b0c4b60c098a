"""Judges one edit: the data, the lines, the comments."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML

from tests.corpus.choice import NEW
from tests.corpus.choice import Edit
from tests.corpus.choice import Path
from tests.corpus.choice import intended
from tests.corpus.owners import Comments
from tests.corpus.owners import Owned
from tests.corpus.owners import owners


@dataclass(frozen=True)
class Verdict:
    """What is wrong with an edit; all of it 0 and empty when nothing is."""

    wrong: str = ""
    noise: int = 0
    lost: int = 0
    misplaced: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.wrong or self.noise or self.lost or self.misplaced)


class Original:
    """A text of the corpus with what the judge knows of it."""

    def __init__(self, text: str, *, both: bool = True) -> None:
        self.text = text
        self.bare = text.removeprefix("\ufeff")
        self.data = unshared(read11(text))
        self.data12 = None
        with suppress(Exception):  # ruamel.yaml refuses some files that PyYAML reads
            self.data12 = unshared(read12(text)) if both else None
        self.comments = Comments(self.bare)
        #: Whether the file ends in a block scalar without a newline: an edit behind it must change its first line.
        self.open_end = not text.endswith("\n") and self.comments.ends_in_block
        self.owners = owners(self.bare, self.comments)


def loader(text: str) -> Any:
    """PyYAML's C parser, or its pure one for what the two read differently."""
    return yaml.SafeLoader if any(sign in text for sign in "\t!?") else yaml.CSafeLoader


def read11(text: str) -> Any:
    """What PyYAML makes of a text."""
    return yaml.load(text, loader(text))  # noqa: S506 - a safe loader


def read12(text: str) -> Any:
    """What ruamel.yaml makes of it."""
    return YAML(typ="safe", pure=True).load(StringIO(text))


def unshared(data: Any) -> Any:
    """Data whose parts are copies where aliases shared them."""
    if isinstance(data, dict):
        return {key: unshared(value) for key, value in data.items()}
    return [unshared(item) for item in data] if isinstance(data, list) else data


def typed(value: Any) -> Any:
    """Data with their types, to be compared."""
    if isinstance(value, dict):
        return {(type(key).__name__, str(key)): typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return type(value).__name__, value


def judged(old: Original, new: str, edit: Edit, *, both: bool) -> Verdict:
    """The verdict on the text that an editor made; `both` asks YAML 1.2 too."""
    wrong = _wrong(old, new, edit, both=both)
    if wrong == "unreadable":
        return Verdict(wrong)
    bare = new.removeprefix("\ufeff")
    found = Comments(bare)
    gone = Counter(_gone(old, edit))
    lost = Counter(old.comments.texts()) - gone - Counter(found.texts())
    left = Counter(found.texts()) - (Counter(old.comments.texts()) - gone)
    misplaced = _misplaced(old.owners, owners(bare, found), edit) + left.total()
    return Verdict(wrong, _noise(old, bare, edit), lost.total(), misplaced)


def _wrong(old: Original, new: str, edit: Edit, *, both: bool) -> str:
    try:
        data = read11(new)
    except Exception:
        return "unreadable"
    if typed(unshared(data)) != typed(intended(old.data, edit)):
        return "YAML 1.1"
    return "YAML 1.2" if both and _wrong12(old, new, edit) else ""


def _wrong12(old: Original, new: str, edit: Edit) -> bool:
    try:
        planned = intended(old.data12, edit)
    except (KeyError, TypeError):  # a key on the way is no text in YAML 1.1 and one in 1.2: `on`
        return False
    return typed(unshared(read12(new))) != typed(planned)


def gone_with(old: Original, edit: Edit) -> list[str]:
    """The comments that belong to a key which is deleted."""
    return _gone(old, edit)


def _gone(old: Original, edit: Edit) -> list[str]:
    own = old.owners.get(edit.path)
    if edit.kind == "delete" and own:
        return old.comments.texts(own.line - own.goes, own.last)
    return []


def _misplaced(before: dict[Path, Owned], after: dict[Path, Owned], edit: Edit) -> int:
    count, left = 0, _left(before, edit)
    for path, own in before.items():
        there = after.get(_new_path(path, edit))
        if there is not None and not _inside_deleted(path, edit):
            moves = edit.kind == "move" and path == edit.path
            heads = [own.head[len(own.head) - own.moves :]] if moves else [own.head, left + own.head]
            count += there.head not in heads or there.tail != own.tail
    return count


def _left(before: dict[Path, Owned], edit: Edit) -> tuple[str, ...]:
    """The comments that stay although their key leaves: they stand above the next key then."""
    own = before.get(edit.path)
    leaves = own is not None and edit.kind in ("delete", "move")
    return own.head[: len(own.head) - own.leaving(edit.kind)] if own and leaves else ()


def _inside_deleted(path: Path, edit: Edit) -> bool:
    return edit.kind == "delete" and path[: len(edit.path)] == edit.path


def _new_path(path: Path, edit: Edit) -> Path:
    if edit.kind == "move" and path[: len(edit.path)] == edit.path:
        return (*edit.to, *path[len(edit.path) - 1 :])
    return path


def _noise(old: Original, new: str, edit: Edit) -> int:
    newline = "\r\n" if "\r\n" in old.bare else "\n"
    before, after = _lines(old.bare, newline), _lines(new, newline)
    own, coming = _own_lines(old, before, edit)
    rest = [line for number, line in enumerate(before) if number not in own]
    kept = _common(rest, after)
    slack = edit.slack + old.open_end
    return max(0, len(rest) - kept - slack) + max(0, len(after) - kept - coming - slack)


def _lines(text: str, newline: str) -> list[str]:
    return (text if not text or text.endswith("\n") else text + newline).split("\n")


def _own_lines(old: Original, before: list[str], edit: Edit) -> tuple[range, int]:
    """The lines that an edit may take away, and how many it may add."""
    if edit.kind == "insert":
        return range(0), len(edit.path) - edit.path.index(NEW)
    own = old.owners.get(edit.path)
    if own is None:  # in a flow mapping: the line that it stands on
        return range(0), 2 if edit.kind == "move" else 1
    if edit.kind == "set":
        return range(own.line, own.last + 1), own.last - own.line + 1
    first = own.line - own.leaving(edit.kind)
    return range(first, own.last + 1), own.last - first + 1 if edit.kind == "move" else 0


def _common(old: list[str], new: list[str]) -> int:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks() if old and new else []
    return start + end + sum(block.size for block in blocks)
