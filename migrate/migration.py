"""A file before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.report.items import Item
from migrate.report.items import items
from migrate.yamledit.edits import Move

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.yamledit.edits import Edit
    from schema.yamltext import Document


@dataclass(frozen=True)
class Migration:
    """A file before and after, and what happens in between; no edits if it is right already."""

    path: Path
    old: Document
    new: Document
    edits: list[Edit]

    @property
    def changes(self) -> bool:
        """Whether the text changes."""
        return bool(self.edits)

    @property
    def touched(self) -> list[tuple[str, ...]]:
        """The paths that the edits change."""
        moves = [edit.to for edit in self.edits if isinstance(edit, Move)]
        return [*(edit.path for edit in self.edits), *moves]

    @property
    def before(self) -> bytes | None:
        """The bytes that were read, or None where no file was."""
        return (self.old.bom + self.old.text).encode()

    @property
    def content(self) -> bytes | None:
        """The bytes of the new file, or None if it goes."""
        return (self.new.bom + self.new.text).encode()

    def items(self) -> list[Item]:
        """The report of this file."""
        return items(self.path, self.old, self.new, self.edits)
