"""Lines of files as findings show them: without secrets, printable, and not too long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.findings import Excerpt
from schema.printable import printable
from schema.secrets import starred_line
from schema.yamltext.veil import veiled

if TYPE_CHECKING:
    from schema.place import Place
    from schema.resolve import Workspace
    from schema.secrets import Known

#: Characters of a line that are shown, and of those the ones before the value that is wrong.
_LONGEST, _BEFORE = 160, 60
_CUT = "..."
#: Where PyYAML counts a new line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Excerpts:
    """Cuts lines out of the files of a workspace."""

    def __init__(self, workspace: Workspace, known: Known) -> None:
        self._workspace = workspace
        self._known = known
        self._lines: dict[object, tuple[list[str], list[str]]] = {}

    def of(self, place: Place) -> Excerpt | None:
        """The line of a place, or None if the file has no such line."""
        raw, shown = self._of_file(place)
        if not place.end_line or place.line > len(raw):
            return None
        line, text = raw[place.line - 1], starred_line(shown[place.line - 1], self._known)
        start = place.column - 1
        end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
        moved = text[:end] != line[:end]
        return _cut(text, start, 0 if moved else max(end - start, 1))

    def _of_file(self, place: Place) -> tuple[list[str], list[str]]:
        if place.file not in self._lines:
            document = self._workspace.document(place.file)
            self._lines[place.file] = (_BREAK.split(document.text), _BREAK.split(veiled(document)))
        return self._lines[place.file]


def _cut(line: str, start: int, width: int) -> Excerpt:
    first = max(0, start - _BEFORE) if len(line) > _LONGEST else 0
    part = line[first : first + _LONGEST]
    before = printable(part[: start - first])
    value = printable(part[start - first : start - first + width])
    head, tail = _CUT if first else "", _CUT if first + _LONGEST < len(line) else ""
    text = f"{head}{before}{value}{printable(part[start - first + width :])}{tail}"
    return Excerpt(text, len(head) + len(before), len(value))
