"""The diff of one file, as it may be shown: without secrets, and without what a terminal would act on."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from migrate.yamledit.regions import lines
from schema.place import shown
from schema.printable import printable
from schema.secrets import HIDDEN
from schema.secrets import is_secret
from schema.secrets import starred_line
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.migration import Migration
    from migrate.twins import Twin
    from schema.secrets import Known
    from schema.yamltext import Document
    from schema.yamltext import Node
    from schema.yamltext import Span

_LINE = re.compile(r"[^\r\n]+")


def diff(migration: Migration, known: Known, twin: Twin | None = None) -> str:
    """The unified diff of one file, and a line that says so where it cannot be applied.

    Args:
        migration: the file before and after.
        known: secrets, wherever they stand.
        twin: what the file is the copy of; the diff is then against its original, as git applies it.
    """
    source, copy = (twin.source, twin.original) if twin else (migration.path, migration.old)
    before, after = (printable(shown(path).lstrip("/")) for path in (source, migration.path))
    old, new = (_shown(document, known) for document in (copy, migration.new))
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


def _shown(document: Document, known: Known) -> list[str]:
    return [_line(line, known) for line in lines(_veiled(document))]


def _line(line: str, known: Known) -> str:
    body = line.rstrip("\r\n")
    return printable(starred_line(body, known), keep="\t") + line[len(body) :]


def _veiled(document: Document) -> str:
    """The text with every value of a secret name starred; its lines stay."""
    text, parts, here = document.text, [], 0
    for span in sorted(_spans(document.root, secret=False)):
        parts += [text[here : span.start], _LINE.sub(HIDDEN, text[span.start : span.end])]
        here = span.end
    return "".join([*parts, text[here:]])


def _spans(node: Node | None, *, secret: bool) -> Iterator[Span]:
    if isinstance(node, Scalar):
        if secret and node.span.end > node.span.start:
            yield node.span
    elif isinstance(node, Mapping):
        for entry in node.entries:
            name = entry.key.text if isinstance(entry.key, Scalar) else ""
            yield from _spans(entry.value, secret=secret or is_secret(name))
    elif node is not None and not isinstance(node, Alias):
        for item in node.items:
            yield from _spans(item, secret=secret)
