"""The diff of one file, as it may be shown: without secrets, and without what a terminal would act on."""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING
from typing import Any

from migrate.yamledit.regions import lines
from schema.place import shown
from schema.printable import printable
from schema.secrets import starred_line
from schema.yamltext import parse
from schema.yamltext.veil import veiled

if TYPE_CHECKING:
    from migrate.migration import Migration
    from migrate.twins import Twin
    from schema.colour import Paint
    from schema.secrets import Known

#: How lines look by what they begin with; the first that fits counts.
_COLOURS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("+++", {"bold": True}),
    ("---", {"bold": True}),
    ("diff ", {"bold": True}),
    ("@@", {"fg": "cyan"}),
    ("+", {"fg": "green"}),
    ("-", {"fg": "red"}),
)


def diff(migration: Migration, known: Known, twin: Twin | None = None) -> str:
    """The unified diff of one file, and a line that says so where it cannot be applied.

    That of a copy is against its original, as git applies it.
    """
    source, copy = (twin.source, twin.original) if twin else (migration.path, migration.old)
    if migration.script is not None:
        copy = parse(copy.path, b"")
    before, after = (printable(shown(path).lstrip("/")) for path in (source, migration.path))
    line = cache(lambda text: _line(text, known))  # most lines are in both texts
    old, new = (list(map(line, lines(veiled(document)))) for document in (copy, migration.new))
    made = difflib.unified_diff(
        old,
        new,
        f"a/{before}" if twin or migration.before is not None else "/dev/null",
        f"b/{after}" if migration.content is not None else "/dev/null",
    )
    head = f"diff --git a/{before} b/{after}\ncopy from {before}\ncopy to {after}\n" if twin else ""
    text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made)
    if [old, new] == [lines(document.text) for document in (copy, migration.new)]:
        return head + text
    return f"{head}{text}This diff cannot be applied: it stars secrets, or escapes what is not printable.\n"


def painted(text: str, paint: Paint) -> str:
    """A diff in the colours of git."""
    return "".join(_painted(line, paint) for line in text.splitlines(keepends=True))


def _painted(line: str, paint: Paint) -> str:
    look = next((look for start, look in _COLOURS if line.startswith(start)), None)
    return line if look is None else paint(line.rstrip("\n"), **look) + "\n"


def _line(line: str, known: Known) -> str:
    body = line.rstrip("\r\n")
    return printable(starred_line(body, known), keep="\t") + line[len(body) :]
