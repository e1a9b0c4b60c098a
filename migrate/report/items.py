"""What a migration changes, for a person and for other programs."""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.yamledit import document as text
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Change
from migrate.yamledit.edits import Edit
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Prune
from migrate.yamledit.edits import Remove
from migrate.yamledit.fates import stayed
from migrate.yamledit.fates import taken
from migrate.yamledit.scalars import shown as value_text
from schema.place import shown
from schema.printable import printable
from schema.secrets import HIDDEN
from schema.secrets import is_secret
from schema.secrets import starred
from schema.secrets import starred_line

if TYPE_CHECKING:
    from pathlib import Path

    from schema.secrets import Known
    from schema.yamltext import Document

_KINDS = {Change: "changed", Remove: "removed", Prune: "removed", Add: "added", Move: "moved"}


@dataclass(frozen=True)
class Item:
    """One change of one file; lines count from 1, and are None where the key is not there.

    A mapping that went because nothing was left in it has no old value: its keys have their own items.

    Attributes:
        comments: what goes or moves with the key.
        stayed: what stands directly above the key and stays, although the key leaves.
    """

    file: str
    kind: str
    key: str
    to: str
    old_line: int | None
    new_line: int | None
    old: str | None
    new: str | None
    reason: str
    comments: tuple[str, ...]
    stayed: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        """The item for JSON."""
        return asdict(self)

    def starred(self, known: Known) -> Item:
        """The item without secrets, those that are known and those that their names tell."""
        hide = any(map(is_secret, self.key.split(".")))
        return replace(
            self,
            old=HIDDEN if hide and self.old is not None else _starred(self.old, known),
            new=HIDDEN if hide and self.new is not None else _starred(self.new, known),
            reason=starred(self.reason, known),
            comments=tuple(starred_line(comment, known) for comment in self.comments),
            stayed=tuple(starred_line(comment, known) for comment in self.stayed),
        )


def _starred(value: str | None, known: Known) -> str | None:
    return None if value is None else starred(value, known)


def items(file: Path, old: Document, new: Document, edits: list[Edit]) -> list[Item]:
    """One item an edit."""
    found = [_item(file, old, new, edit, edits) for edit in edits]
    each = zip(found, taken(old, edits), stayed(old, edits), strict=True)
    return [replace(item, comments=tuple(went), stayed=tuple(left)) for item, went, left in each]


def _item(file: Path, old: Document, new: Document, edit: Edit, edits: list[Edit]) -> Item:
    to = edit.to if isinstance(edit, Move) else edit.path
    taken = any(other.path == edit.path and isinstance(other, Move | Remove) for other in edits)
    before = None if taken and isinstance(edit, Add) else _entry(old, edit.path)
    after = None if isinstance(edit, Remove) else _entry(new, to)
    return Item(
        file=shown(file),
        kind="changed" if before and isinstance(edit, Add) else _KINDS[type(edit)],
        key=".".join(edit.path),
        to=".".join(to) if isinstance(edit, Move) else "",
        old_line=before[0] if before else None,
        new_line=after[0] if after else None,
        old=before[1] if before and not isinstance(edit, Prune) else None,
        new=after[1] if after else None,
        reason=edit.reason,
        comments=(),
    )


def _entry(document: Document, path: tuple[str, ...]) -> tuple[int, str] | None:
    entry = text.find(document, path)
    if entry is None:
        return None
    return entry.key.span.line, value_text(document.constructor().data(entry.value))


def render(found: list[Item]) -> str:
    """The report: one block a file, one line a change, and what it took along; nothing if nothing changes."""
    lines = []
    for file in dict.fromkeys(item.file for item in found):
        lines.append(f"{file}:")
        for item in found:
            if item.file == file:
                lines += _lines(item)
    return "".join(f"{printable(line)}\n" for line in lines)


def _lines(item: Item) -> list[str]:
    where = _where(item)
    comments = [f"{'':<25}with its comment: {comment}" for comment in item.comments]
    left = [f"{'':<25}leaves this comment in place: {comment}" for comment in item.stayed]
    return [f"  {item.kind:<9}{where:<14}{_what(item)} ({item.reason})", *comments, *left]


def _where(item: Item) -> str:
    # Lines before and after, which must not look like values that change.
    lines = dict.fromkeys(line for line in (item.old_line, item.new_line) if line is not None)
    return " -> ".join(f"L{line}" for line in lines)


def _what(item: Item) -> str:
    if item.kind == "added":
        return f"{item.key}: {item.new}"
    if item.kind == "removed":
        return item.key if item.old is None else f"{item.key}: {item.old}"
    if item.kind == "changed":
        return f"{item.key}: {item.old} -> {item.new}"
    values = item.old if item.old == item.new else f"{item.old} -> {item.new}"
    return f"{item.key} -> {item.to}: {values}"
