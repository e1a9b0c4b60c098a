"""Files that end in a block scalar, where a final newline, or its absence, is part of a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext import Sequence
from schema.yamltext import parse

if TYPE_CHECKING:
    from schema.yamltext import Document
    from schema.yamltext import Node

_HEADER = re.compile(r"((?:[&!]\S*\s+)*[|>])([-+0-9]*)")


def closed(document: Document) -> Document:
    """The document with its end made safe to write behind.

    A block scalar that ends the file without a newline has none in its value, so it becomes a stripped one
    (`|-`): then nothing that follows can add one.
    """
    text, found = document.text, _open_header(document)
    if found is None:
        return document
    header = f"{found[1]}{found[2].replace('+', '')}-"
    new = text[: found.start()] + header + text[found.end() :]
    return document.with_text(new)


def with_newline(document: Document, text: str, eol: str) -> str:
    """New text of a file without a final newline, with one where a value at its end would lack it."""
    open_ended = _open_header(parse(document.path, text.encode())) is not None
    return text + eol if open_ended else text


def _open_header(document: Document) -> re.Match[str] | None:
    """The first line of a block scalar that ends the file, if a newline behind it would change its value."""
    text, last = document.text, _last_leaf(document.root, len(document.text))
    if text.endswith("\n") or last is None or not _is_block(last) or text[last.span.end :].strip():
        return None  # a comment behind it ends its last line, too
    found = _HEADER.match(text, last.span.start)
    return found if found and "-" not in found[2] else None


def without_final_newline(document: Document, text: str, before: int) -> str:
    """Text whose last lines were cut off, from an offset of the document on, without a newline at its end.

    A newline that a value needs stays.
    """
    last = _last_leaf(document.root, before)
    if text.endswith(("\n\n", "\n\r\n")):
        return text  # the newline is a blank line's
    if last is not None and _is_block(last) and last.span.end >= len(text):
        return text
    return text.removesuffix("\n").removesuffix("\r")


def _is_block(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.style in ("|", ">")


def _last_leaf(node: Node | None, before: int) -> Node | None:
    """The last scalar or alias that begins before an offset."""
    if isinstance(node, Mapping):
        parts = [part for entry in node.entries for part in (entry.key, entry.value)]
    elif isinstance(node, Sequence):
        parts = list(node.items)
    else:
        return node
    inside = [part for part in parts if part.span.start < before]
    return _last_leaf(inside[-1], before) if inside else node
