"""Edits that take other edits back; the tool itself never needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit import document
from migrate.yamledit.insertion import indented
from migrate.yamledit.insertion import inserted
from migrate.yamledit.lookup import required
from migrate.yamledit.regions import newline_at
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import region
from schema.yamltext import Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.lookup import Path
    from schema.yamltext import Document


def source_of(old: Document, path: Path) -> str:
    """The text of a scalar, as `set_source` takes it."""
    where = required(old, path)
    start, end = where.node.span.start, where.node.span.end
    if isinstance(where.node, Scalar) and where.node.style in ("|", ">"):
        start, end = document._block_scalar(old, where, where.node)
    return old.text[start:end]


def insert_before(old: Document, path: Path, lines: Sequence[str]) -> str:
    """The text with lines before a key of a block mapping, above its comments."""
    where = document._editable(old, path, only=True)
    if where.mapping.flow:
        raise refusal(old, where.node, "it is in a flow mapping ({...})")
    here, column = region(old, where), where.entry.key.span.column - 1
    if not here.dash:
        return inserted(old, here.head, column, lines)
    block = indented(lines, column, newline_at(old.text, here.end))
    return old.text[: here.head] + block[column:] + " " * column + old.text[here.head :]
