"""The diff of one file, as it may be shown: without secrets, and without what a terminal would act on."""

from __future__ import annotations

import difflib
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
_NOT_APPLICABLE = "This diff cannot be applied: it stars secrets, or escapes what is not printable.\n"


def diff(migration: Migration, known: Known, twin: Twin | None = None) -> str:
    """The unified diff of one file, and a line that says so where it cannot be applied.

    That of a copy is against its original, as git applies it.
    """
    source, copy = (twin.source, twin.original) if twin else (migration.path, migration.old)
    if migration.script is not None:
        copy = parse(copy.path, b"")
    before, after = (printable(shown(path).lstrip("/")) for path in (source, migration.path))
    names = (
        f"a/{before}" if twin or migration.before is not None else "/dev/null",
        f"b/{after}" if migration.content is not None else "/dev/null",
    )
    plain = _unified(copy.text, migration.new.text, names)
    made = _unified(veiled(copy), veiled(migration.new), names)
    told = [*made[:2], *(_shown(line, known) for line in made[2:])]
    head = f"diff --git a/{before} b/{after}\ncopy from {before}\ncopy to {after}\n" if twin else ""
    return f"{head}{''.join(map(_ended, told))}{'' if told == plain else _NOT_APPLICABLE}"


def _unified(old: str, new: str, names: tuple[str, str]) -> list[str]:
    return list(difflib.unified_diff(lines(old), lines(new), *names))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def painted(text: str, paint: Paint) -> str:
    """A diff in the colours of git."""
    return "".join(_painted(line, paint) for line in text.splitlines(keepends=True))


def _painted(line: str, paint: Paint) -> str:
    look = next((look for start, look in _COLOURS if line.startswith(start)), None)
    return line if look is None else paint(line.rstrip("\n"), **look) + "\n"


def _shown(line: str, known: Known) -> str:
    """A line of a hunk as it may be shown; its first character says what becomes of the line."""
    body = line[1:].rstrip("\r\n")
    if line.startswith("@@"):
        return line
    return line[0] + printable(starred_line(body, known), keep="\t") + line[1 + len(body) :]
