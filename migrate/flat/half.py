"""One file of a pair before and after, and the report of both: a move between them is one item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.flat.edits import Arrive
from migrate.flat.edits import Copy
from migrate.flat.edits import Depart
from migrate.migration import Migration
from migrate.report.items import Item
from migrate.report.items import items
from migrate.yamledit import document as text
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Remove
from migrate.yamledit.edits import own_lines
from migrate.yamledit.fates import stayed
from migrate.yamledit.fates import taken
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.yamledit.edits import Edit


@dataclass(frozen=True)
class Half(Migration):
    """A file of a pair.

    Attributes:
        there: whether it is there before.
        goes: whether it is not there after.
        found: its part of the report.
    """

    there: bool = True
    goes: bool = False
    found: tuple[Item, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the text changes, or the file goes."""
        return self.goes or bool(self.edits)

    @property
    def before(self) -> bytes | None:
        """The bytes that were read, or None where no file was."""
        return super().before if self.there else None

    @property
    def content(self) -> bytes | None:
        """The bytes of the new file, or None if it goes, or never was."""
        return None if self.goes or not (self.there or self.edits) else super().content

    def items(self) -> list[Item]:
        """The report of this file."""
        return list(self.found)

    def taken(self) -> list[tuple[Edit, list[str]]]:
        """Each edit, with the comments that it takes out of the file; one that goes is not edited before."""
        if self.goes:
            return [(edit, self._own(edit)) for edit in self.edits]
        return list(zip(self.edits, taken(self.old, self.edits), strict=True))

    def _own(self, edit: Edit) -> list[str]:
        head = own_lines(self.old, edit) if isinstance(edit, Remove) else None
        return text.comments_of(self.old, edit.path, head)

    def left(self) -> list[list[str]]:
        """The comments that stay in the file above the key of each edit."""
        return [[] for _ in self.edits] if self.goes else stayed(self.old, self.edits)


def report(halves: Sequence[Half]) -> list[Half]:
    """The halves with their parts of the report."""
    others = list(reversed(halves)) if len(halves) == 2 else list(halves)
    return [replace(half, found=tuple(_items(half, other))) for half, other in zip(halves, others, strict=True)]


def _items(half: Half, other: Half) -> Iterator[Item]:
    for (edit, comments), left in zip(half.taken(), half.left(), strict=True):
        if isinstance(edit, Copy):
            yield from items(half.path, half.old, half.new, [Add(edit.path, edit.value, edit.reason)])
        elif not isinstance(edit, Arrive):
            item = _moved(half, other, edit) if isinstance(edit, Depart) else _own(half, edit)
            yield replace(item, comments=tuple(comments), stayed=tuple(left))
    if half.goes:
        yield _gone(half)


def _own(half: Half, edit: Edit) -> Item:
    [item] = items(half.path, half.old, half.new, [edit])
    return item


def _moved(half: Half, other: Half, edit: Edit) -> Item:
    left = _own(half, Remove(edit.path, edit.reason))
    [come] = items(other.path, other.old, other.new, [Add(edit.path, None, edit.reason)])
    to = f"{other.path.name}: {come.key}"
    return replace(left, kind="moved", to=to, new_line=come.new_line, new=come.new)


def _gone(half: Half) -> Item:
    rest = Counter(text.comments(half.old)) - Counter(line for _, lines in half.taken() for line in lines)
    why = "no server is left to start"
    return Item(shown(half.path), "removed", "the file", "", 1, None, None, None, why, tuple(rest.elements()))
