"""What a migration changes, for a person and for other programs."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit.lookup import find
from migrate.yamledit.scalars import shown as value_text
from schema.place import shown
from schema.printable import printable
from schema.secrets import HIDDEN
from schema.secrets import is_secret
from schema.secrets import starred
from schema.secrets import starred_line
from schema.yamltext.comments import comments
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune
from schema.yamltext.edit import Remove
from schema.yamltext.edit import Rename

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.migration import Migration
    from migrate.yamledit.steps import Step
    from schema.secrets import Known
    from schema.yamltext import Document
    from schema.yamltext.edit import Path as Keys

#: Why a file goes.
GONE = "no server is left to start"
_KINDS = {
    Change: "changed",
    Rename: "renamed",
    Remove: "removed",
    Prune: "removed",
    Add: "added",
    Move: "moved",
}


#: Columns before what changes.
_INDENT = 25


class Item(NamedTuple):
    """One change of one file; lines count from 1, and are None where the key is not there.

    A mapping that went because nothing was left in it has no old value: its keys have their own items. A key that
    got another name has none, because its value is the same.

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

    def starred(self, known: Known) -> Item:
        """The item without secrets, those that are known and those that their names tell."""
        hide = any(map(is_secret, self.key.split(".")))
        return self._replace(
            old=HIDDEN if hide and self.old is not None else _starred(self.old, known),
            new=HIDDEN if hide and self.new is not None else _starred(self.new, known),
            reason=starred(self.reason, known),
            comments=tuple(starred_line(comment, known) for comment in self.comments),
            stayed=tuple(starred_line(comment, known) for comment in self.stayed),
        )


def _starred(value: str | None, known: Known) -> str | None:
    return None if value is None else starred(value, known)


def items(migrations: Sequence[Migration]) -> list[Item]:
    """One item for each edit, file by file; a file that goes is an item itself."""
    files = {migration.path: migration for migration in migrations}
    found: list[Item] = []
    for migration in migrations:
        found += [_item(step, paths, migration, files) for step, paths in _placed(migration)]
        found += [_gone(migration)] if migration.goes and migration.script is None else []
    return found


def _placed(migration: Migration) -> Iterator[tuple[Step, tuple[Keys, Keys]]]:
    """Each edit of a file, and where its key stands before all of them and after: other edits may rename it."""
    renames = [step.edit for step in migration.own if isinstance(step.edit, Rename)]
    for number, step in enumerate(migration.own):
        earlier = [step.edit for step in migration.own[:number] if isinstance(step.edit, Rename)]
        old, new = step.edit.path, step.edit.to if isinstance(step.edit, Move | Rename) else step.edit.path
        for rename in reversed(earlier):
            old = _renamed(old, rename.to, rename.path)
        for rename in renames[len(earlier) :]:
            new = _renamed(new, rename.path, rename.to)
        yield step, (old, new)


def _renamed(path: Keys, old: Keys, new: Keys) -> Keys:
    return new + path[len(old) :] if path[: len(old)] == old else path


def _item(step: Step, paths: tuple[Keys, Keys], migration: Migration, files: Mapping[Path, Migration]) -> Item:
    edit, (old, new) = step.edit, paths
    move = edit if isinstance(edit, Move) else None
    before = None if isinstance(edit, Add) and _is_taken(edit, migration) else _entry(migration.old, old)
    target = files[move.target].new if move else migration.new
    after = None if isinstance(edit, Remove) else _entry(target, new)
    return Item(
        file=shown(migration.path),
        kind="changed" if before and isinstance(edit, Add) else _KINDS[type(edit)],
        key=".".join(edit.path),
        to=_to(edit) if isinstance(edit, Move | Rename) else "",
        old_line=migration.old_line(before[0]) if before else None,
        new_line=after[0] if after else None,
        old=before[1] if before and not isinstance(edit, Prune | Rename) else None,
        new=after[1] if after and not isinstance(edit, Rename) else None,
        reason=edit.reason,
        comments=step.comments,
        stayed=step.stayed,
    )


def _is_taken(add: Add, migration: Migration) -> bool:
    # Whether another edit takes away what stood there.
    return any(step.edit.path == add.path and isinstance(step.edit, Move | Remove) for step in migration.own)


def _to(edit: Move | Rename) -> str:
    key = ".".join(edit.to)
    return f"{edit.target.name}: {key}" if isinstance(edit, Move) and edit.target != edit.file else key


def _gone(migration: Migration) -> Item:
    left = Counter(comment for step in migration.own for comment in step.comments)
    rest = tuple((Counter(comments(migration.old)) - left).elements())
    return Item(shown(migration.path), "removed", "the file", "", 1, None, None, None, GONE, rest)


def _entry(document: Document, path: tuple[str, ...]) -> tuple[int, str] | None:
    entry = find(document, path)
    if entry is None:
        return None
    return entry.key.span.line, value_text(document.constructor().data(entry.value))


def render(found: list[Item], columns: int | None = None) -> str:
    """The report: one block a file, one line a change, and what it took along; nothing if nothing changes.

    Lines longer than the columns of the terminal that shows it go on below their text.
    """
    lines = []
    for file in dict.fromkeys(item.file for item in found):
        lines.append(f"{file}:")
        for item in found:
            if item.file == file:
                lines += _lines(item)
    return "".join(f"{_fitted(printable(line), columns)}\n" for line in lines)


def _fitted(line: str, columns: int | None) -> str:
    if columns is None or len(line) <= columns or columns < 2 * _INDENT:
        return line
    head, rest = line[:_INDENT], line[_INDENT:]
    parts = textwrap.wrap(rest, columns - _INDENT, break_long_words=False, break_on_hyphens=False)
    return head + f"\n{'':<{_INDENT}}".join(parts)


def _lines(item: Item) -> list[str]:
    where = _where(item)
    comments = [f"{'':<{_INDENT}}with its comment: {comment}" for comment in item.comments]
    left = [f"{'':<{_INDENT}}leaves this comment in place: {comment}" for comment in item.stayed]
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
    if item.kind == "renamed":
        return f"{item.key} -> {item.to}"
    if item.kind == "changed":
        return f"{item.key}: {item.old} -> {item.new}"
    values = item.old if item.old == item.new else f"{item.old} -> {item.new}"
    return f"{item.key} -> {item.to}: {values}"
