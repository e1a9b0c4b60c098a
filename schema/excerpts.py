"""Lines of files as findings show them: without secrets, printable, and not too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.findings import Excerpt
from schema.printable import printable
from schema.secrets import starred_line
from schema.yamltext.comments import BREAK
from schema.yamltext.veil import veiled

if TYPE_CHECKING:
    from pathlib import Path

    from schema.place import Place
    from schema.resolve import Workspace
    from schema.secrets import Known

#: Characters of a line that are shown, and of those the ones before the value that is wrong.
_LONGEST, _BEFORE = 160, 60
_CUT = "..."


class Excerpts:
    """Cuts lines out of the files of a workspace."""

    def __init__(self, workspace: Workspace, known: Known) -> None:
        self._workspace = workspace
        self._known = known
        self._files: dict[Path, tuple[list[str], list[str]]] = {}
        self._lines: dict[tuple[Path, int], tuple[str, str]] = {}

    def of(self, place: Place) -> Excerpt | None:
        """The line of a place, or None if the file has no such line."""
        if not place.end_line or place.line > len(self._of_file(place.file)[0]):
            return None
        line, shown = self._of_line(place.file, place.line)
        start = place.column - 1
        end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
        moved = shown[:end] != line[:end]
        return _cut(shown, start, 0 if moved else max(end - start, 1))

    def _of_line(self, file: Path, number: int) -> tuple[str, str]:
        """A line as it is, and without secrets; a long one may have a hundred findings."""
        if (file, number) not in self._lines:
            line, shown = (lines[number - 1] for lines in self._of_file(file))
            self._lines[file, number] = line, starred_line(shown, self._known)
        return self._lines[file, number]

    def _of_file(self, file: Path) -> tuple[list[str], list[str]]:
        if file not in self._files:
            document = self._workspace.document(file)
            self._files[file] = (re.split(BREAK, document.text), re.split(BREAK, veiled(document)))
        return self._files[file]


def _cut(line: str, start: int, width: int) -> Excerpt:
    first = max(0, start - _BEFORE) if len(line) > _LONGEST else 0
    part = line[first : first + _LONGEST]
    before = printable(part[: start - first])
    value = printable(part[start - first : start - first + width])
    head, tail = _CUT if first else "", _CUT if first + _LONGEST < len(line) else ""
    text = f"{head}{before}{value}{printable(part[start - first + width :])}{tail}"
    return Excerpt(text, len(head) + len(before), len(value))
