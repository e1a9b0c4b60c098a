"""New keys at the end of a mapping, and the mappings that must be made on the way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit import flow
from migrate.yamledit.ends import closed
from migrate.yamledit.ends import with_newline
from migrate.yamledit.lookup import Spot
from migrate.yamledit.lookup import dotted
from migrate.yamledit.lookup import node_at
from migrate.yamledit.lookup import spot
from migrate.yamledit.regions import colon_end
from migrate.yamledit.regions import is_nothing
from migrate.yamledit.regions import newline_at
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import region
from migrate.yamledit.scalars import scalar
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.lookup import Path
    from schema.errors import InputError
    from schema.yamltext import Document
    from schema.yamltext import Node


def append(document: Document, path: Path, lines: Sequence[str]) -> str:
    """The text with lines at the end of the mapping at a path; missing mappings on the way are made.

    The lines are without indentation and newlines; deeper lines are indented relative to the first.

    Raises:
        InputError: what stands on the way is neither a mapping nor empty, or the lines cannot stand in the
            flow mapping that they would come to.
    """
    depth = _existing(document, path)
    node, holder = node_at(document, path[:depth]), spot(document, path[:depth])
    names = path[depth:]
    if isinstance(node, Alias):
        raise refusal(document, node, f"the value comes through the alias *{node.name}")
    if node is not None and _wants_flow(node, holder):
        return _into_flow(document, node, path[:depth], flow.source(document, node, lines, names))
    wrapped = _wrapped(names, lines, indent_step(document))
    if node is None:
        return inserted(document, len(document.text), 0, wrapped)
    if _is_empty(node) and holder is not None:
        return _filled(document, holder, wrapped)
    return _at_end(document, node, path[:depth], wrapped)


def _existing(document: Document, path: Path) -> int:
    return next((depth for depth in range(len(path)) if spot(document, path[: depth + 1]) is None), len(path))


def _wants_flow(node: Node, holder: Spot | None) -> bool:
    inside = holder is not None and holder.parent.flow
    return inside or (isinstance(node, Mapping) and node.flow and (bool(node.entries) or holder is None))


def _into_flow(document: Document, node: Node, path: Path, source: str) -> str:
    if isinstance(node, Mapping):
        return flow.insert(document, Spot(node, len(node.entries) - 1), source)
    if not _is_empty(node) or is_nothing(node):
        raise _no_mapping(document, node, path)
    return f"{document.text[: node.span.start]}{{{source}}}{document.text[node.span.end :]}"


def _no_mapping(document: Document, node: Node, path: Path) -> InputError:
    return refusal(document, node, f"{dotted(path) or 'the root'} is not a mapping")


def _wrapped(names: Path, lines: Sequence[str], step: int) -> list[str]:
    wrapped = list(lines)
    for name in reversed(names):
        wrapped = [f"{scalar(name)}:", *(f"{' ' * step}{line}" if line else line for line in wrapped)]
    return wrapped


def _is_empty(node: Node) -> bool:
    if isinstance(node, Mapping):
        return not node.entries and node.anchor is None
    return isinstance(node, Scalar) and node.value is None and node.anchor is None


def _filled(document: Document, holder: Spot, lines: Sequence[str]) -> str:
    # What is spelled out (null, {}) gives way to lines below its key, or behind its dash.
    if not isinstance(holder.parent, Mapping):
        return _item(document, holder, lines)
    start, end = colon_end(document.text, holder.entry), holder.node.span.end
    if "#" in document.text[start:end]:
        raise refusal(document, holder.node, "there is a comment inside the empty value")
    removed = max(end - start, 0)
    bare = document.text[:start] + document.text[start + removed :]
    column = holder.entry.key.span.column - 1 + indent_step(document)
    emptied = document.with_text(bare)
    return inserted(emptied, region(document, holder).end - removed, column, lines)


def _item(document: Document, holder: Spot, lines: Sequence[str]) -> str:
    text, span = document.text, holder.node.span
    gap = " " if span.start == span.end else ""
    block = indented(lines, span.column - 1 + len(gap), newline_at(text, span.end))
    return text[: span.start] + gap + block.strip() + text[span.end :]


def _at_end(document: Document, node: Node, path: Path, lines: Sequence[str]) -> str:
    if not isinstance(node, Mapping) or not node.entries:
        raise _no_mapping(document, node, path)
    last = Spot(node, len(node.entries) - 1)
    return inserted(document, region(document, last).end, last.entry.key.span.column - 1, lines)


def inserted(document: Document, offset: int, column: int, lines: Sequence[str]) -> str:
    """The text with lines at an offset, indented to a column."""
    if offset == len(document.text) and (steady := closed(document)) is not document:
        return inserted(steady, len(steady.text), column, lines)
    text = document.text
    eol = newline_at(text, offset)
    block = indented(lines, column, eol)
    if offset == len(text) and text and not text.endswith("\n"):
        return with_newline(document, text + eol + block.removesuffix(eol), eol)
    return text[:offset] + block + text[offset:]


def indented(lines: Sequence[str], column: int, eol: str) -> str:
    """Lines, indented to a column; blank ones stay empty."""
    return "".join(f"{' ' * column}{line}{eol}" if line else eol for line in lines)


def indent_step(document: Document) -> int:
    """How many spaces the file indents by: what its first nested mapping does."""
    root = document.root
    for entry in root.entries if root else ():
        value = entry.value
        if isinstance(value, Mapping) and value.entries and not value.flow:
            return value.entries[0].key.span.column - entry.key.span.column
    return 2
