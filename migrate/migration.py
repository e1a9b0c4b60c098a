"""A file before and after."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.yamltext.edit import Move
from schema.yamltext.edit import Rename

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrate.yamledit.steps import Step
    from schema.yamltext import Document


class Migration(NamedTuple):
    """A file before and after, and what happens in between; no steps if it is right already.

    Attributes:
        path: the file.
        old: its text before; a heading, where it is not there yet.
        new: its text after; empty where it goes.
        steps: the edits that are made in it, or that bring something to it from another file.
        there: whether it is there before.
        goes: whether it is not there after.
        script: the script that it is made of, so that it is new, although it has an old text; None otherwise.
        lines: where the lines of that text come from in the script.
    """

    path: Path
    old: Document
    new: Document
    steps: list[Step]
    there: bool = True
    goes: bool = False
    script: Path | None = None
    lines: Mapping[int, int] = MappingProxyType({})

    def old_line(self, line: int) -> int | None:
        """Where a line of the old text stands before, from 1; None where no line did."""
        return line if self.script is None else self.lines.get(line)

    @property
    def own(self) -> list[Step]:
        """The edits that are made in the file."""
        return [step for step in self.steps if step.edit.file == self.path]

    @property
    def changes(self) -> bool:
        """Whether the text changes, or the file goes."""
        return not self.goes if self.script else self.goes or bool(self.steps)

    @property
    def touched(self) -> list[tuple[str, ...]]:
        """The paths that the edits change."""
        moves = [step.edit.to for step in self.steps if isinstance(step.edit, Move | Rename)]
        return [*(step.edit.path for step in self.steps), *moves]

    @property
    def before(self) -> bytes | None:
        """The bytes that were read, or None where no file was."""
        return self.old.content if self.there else None

    @property
    def content(self) -> bytes | None:
        """The bytes of the new file, or None if it goes, or never was."""
        is_there = not self.goes and (self.there or self.steps or self.script)
        return self.new.content if is_there else None


class Group(NamedTuple):
    """Files that are edited together: one of the nested layout, or both of a pair.

    Attributes:
        files: the file that was named first.
        steps: all edits, in the order in which they are made.
    """

    files: list[Migration]
    steps: list[Step]

    @property
    def path(self) -> Path:
        """The file that was named."""
        return self.files[0].path
