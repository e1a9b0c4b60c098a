"""Edits of YAML text that touch only the lines they must: each takes a document and returns new text.

Positions come from parse events (schema.yamltext); what stands between the edited places is copied, never
rewritten. An edit that has no safe splice is refused, with its place. A step of a path is a key, or the
number of an item in a list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit import flow
from migrate.yamledit import heads
from migrate.yamledit.ends import closed
from migrate.yamledit.ends import without_final_newline
from migrate.yamledit.insertion import inserted
from migrate.yamledit.lookup import Path
from migrate.yamledit.lookup import node_at
from migrate.yamledit.lookup import required
from migrate.yamledit.regions import colon_end
from migrate.yamledit.regions import is_nothing
from migrate.yamledit.regions import lines as lines_in
from migrate.yamledit.regions import newline_at
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import region
from migrate.yamledit.regions import value_end
from migrate.yamledit.scalars import scalar
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext import Sequence as Items
from schema.yamltext.comments import comments
from schema.yamltext.comments import line_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.lookup import Spot
    from migrate.yamledit.regions import Region
    from schema.yamltext import Document

_PROPERTIES = re.compile(r"(?:[ \t]+[&!]\S*)*(?=[ \t]*(?:#[^\n]*|\r?)\n)")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


class Lines(NamedTuple):
    """The lines of a key, with their newlines, and the column that its key starts in (from 0)."""

    lines: tuple[str, ...]
    column: int


def set_scalar(document: Document, path: Path, value: object) -> str:
    """The text with another scalar at a path; quotes are kept, a block scalar becomes one line.

    Raises:
        InputError: there is no scalar, or it carries an anchor that other places may refer to.
    """
    node = node_at(document, path)
    style = node.style if isinstance(node, Scalar) and node.style in ("'", '"') else None
    return set_source(document, path, scalar(value, style))


def value_at(document: Document, path: Path) -> object:
    """The value at a path, as plain data."""
    node = node_at(document, path)
    return None if node is None else document.constructor().data(node)


def items_at(document: Document, path: Path) -> int | None:
    """How many items the list at a path has; None if no list stands there."""
    node = node_at(document, path)
    return len(node.items) if isinstance(node, Items) else None


def set_source(document: Document, path: Path, source: str) -> str:
    """The same as `set_scalar`, with the value as it is to stand in the text; an empty one leaves `key:`."""
    where = required(document, path)
    node = where.node
    if isinstance(node, Alias) or node.anchor is not None:
        why = "comes through an alias" if isinstance(node, Alias) else "carries an anchor"
        raise refusal(document, node, f"the value {why}")
    if not isinstance(node, Scalar):
        raise refusal(document, node, "there is a list or a mapping here")
    start, end = node.span.start, node.span.end
    if is_nothing(node):
        return _filled(document, where, f" {source}" if source else "")
    if node.style in ("|", ">"):
        start, end = _block_scalar(document, where, node)
    elif not source:
        start = len(document.text[:start].rstrip(" "))
    return document.text[:start] + source + document.text[end:]


def _filled(document: Document, where: Spot, source: str) -> str:
    text, start = document.text, where.node.span.start
    if isinstance(where.parent, Mapping):
        start = colon_end(text, where.entry)
    if start == 0 or text[start - 1] not in ":-":
        raise refusal(document, where.node, "there is no colon or dash before the empty value")
    return text[:start] + source + text[start:]


def _block_scalar(document: Document, where: Spot, node: Scalar) -> tuple[int, int]:
    # The comment in its first line stays; the lines of its text go.
    text, start = document.text, node.span.start
    header = _BLOCK_HEADER.match(text, start)
    if header is None or not isinstance(where.parent, Mapping) or "#" in text[start : line_end(text, start)]:
        raise refusal(document, node, "the block scalar has a tag or a comment, or is an item of a list")
    end = value_end(text, where.entry)
    return start, end - (len(newline_at(text, end)) if text[:end].endswith("\n") else 0)


def block_above(document: Document, path: Path) -> list[str]:
    """The comment lines directly above a key, its own or not, without indentation."""
    return heads.block(document, required(document, path))


def above(document: Document, path: Path, *, goes: bool = False) -> int:
    """How many of these lines, counted from the key upwards, move with the key; or go, where it `goes`."""
    return heads.leaving(document, required(document, path), goes=goes)


def lines_of(document: Document, path: Path, head: int | None = None) -> Lines:
    """The lines that belong to a key: its head comments, its own lines, its foot comments.

    `head` is how many comment lines above it are its own; what `above` says unless it is given.

    Raises:
        InputError: it has no lines that could stand elsewhere.
    """
    where = _editable(document, path)
    column = where.entry.key.span.column - 1
    head = above(document, path) if head is None else head
    if where.mapping.flow:
        return Lines(tuple(lines_in(flow.as_block(document, where, head))), column)
    here = region(document, where, head)
    if here.end == len(document.text) and (steady := closed(document)) is not document:
        return lines_of(steady, path, head)
    return Lines(tuple(lines_in(document.text[here.head : here.end])), column)


def bare(taken: Lines) -> list[str]:
    """Lines of a key without indentation and newlines, as they are inserted elsewhere."""
    return [_dedented(line.rstrip("\r\n"), taken.column) for line in taken.lines]


def _dedented(line: str, column: int) -> str:
    return line[column:] if not line[:column].strip() else line.lstrip()


def comments_of(document: Document, path: Path, head: int | None = None) -> list[str]:
    """The comments that move with a key, without their indentation; `head` as in `lines_of`."""
    where = _editable(document, path, only=True)
    head = above(document, path) if head is None else head
    return comments(document, *heads.own(document, where, head))


def delete(document: Document, path: Path, head: int | None = None) -> str:
    """The text without a key, its value and the comments that belong to it; `head` as in `lines_of`.

    A mapping that loses its only key becomes `{}`: as null it would hide what a base says. What stays above the
    key stays there, at its indentation.

    Raises:
        InputError: it is the only key of the file, or it has no lines of its own.
    """
    where = _editable(document, path)
    head = above(document, path) if head is None else head
    if where.mapping.flow:
        return flow.delete(document, where, head)
    here = region(document, where, head)
    if len(where.mapping.entries) == 1:
        text = _emptied(document, path, here)
    elif here.dash:
        text = _behind_dash(document, where, here)
    else:
        text = document.text[: here.head] + document.text[here.end :]
    if here.end == len(document.text) and not document.text.endswith("\n"):
        text = without_final_newline(document, text, here.head)
    return text


def _emptied(document: Document, path: Path, here: Region) -> str:
    text = document.text
    if here.dash:
        return f"{text[: here.start]}{{}}{newline_at(text, here.end)}{text[here.end :]}"
    holder = required(document, path[:-1])
    if not isinstance(holder.parent, Mapping):
        raise refusal(document, holder.node, "it is the only key of a list item, and not on the line of its dash")
    colon = colon_end(text, holder.entry)
    properties = _PROPERTIES.match(text, colon)
    if properties is None:
        raise refusal(document, holder.node, "something is between the key and its value")
    offset = properties.end()
    return f"{text[:offset]} {{}}{text[offset : here.head]}{text[here.end :]}"


def _behind_dash(document: Document, where: Spot, here: Region) -> str:
    text = document.text
    following = where.following.entry.key.span.start
    if not text[here.end : following].strip(" "):
        return text[: here.start] + text[following:]
    # Something stands above the next key: the dash keeps its line to itself.
    return text[: here.start].rstrip(" ") + newline_at(text, here.end) + text[here.end :]


def insert_after(document: Document, path: Path, lines: Sequence[str]) -> str:
    """The text with lines (without indentation and newlines) after a key, at the key's indentation."""
    where = _editable(document, path, only=True)
    if where.mapping.flow:
        return flow.insert(document, where, flow.source(document, where.node, lines))
    return inserted(document, region(document, where).end, where.entry.key.span.column - 1, lines)


def _editable(document: Document, path: Path, *, only: bool = False) -> Spot:
    where = required(document, path)
    if not isinstance(where.parent, Mapping):
        raise refusal(document, where.node, "it is an item of a list, not a key")
    if len(path) == 1 and len(where.parent.entries) == 1 and not only and not where.parent.flow:
        raise refusal(document, where.entry.key, "it is the only key of the file")
    return where
