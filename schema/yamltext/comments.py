"""The comments of a document: every `#` that stands in no scalar begins one."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.yamltext.document import Document
    from schema.yamltext.nodes import Node


#: Where PyYAML counts a new line.
BREAK = "\r\n|[\n\r\x85\u2028\u2029]"


def line_end(text: str, offset: int) -> int:
    """Behind the newline of the line of an offset, or the end of the text."""
    newline = text.find("\n", offset)
    return len(text) if newline < 0 else newline + 1


def comments(document: Document, start: int = 0, end: int | None = None) -> list[str]:
    """Every comment of the text, or of a part of it, in order."""
    return [comment for _, comment in placed(document, start, end)]


def placed(document: Document, start: int = 0, end: int | None = None) -> list[tuple[int, str]]:
    """The same, each with its offset."""
    text = document.text
    end = len(text) if end is None else end
    if text.find("#", start, end) < 0:
        return []
    spans = sorted(_scalar_spans(text, document.root))
    found: list[tuple[int, str]] = []
    here = start
    while (here := text.find("#", here, end)) >= 0:
        before = bisect_right(spans, (here, len(text))) - 1
        if before >= 0 and here < spans[before][1]:
            here = spans[before][1]
        else:
            stop = line_end(text, here)
            found.append((here, text[here:stop].rstrip()))
            here = stop
    return found


def _scalar_spans(text: str, node: Node | None) -> Iterator[tuple[int, int]]:
    if isinstance(node, Scalar | Alias):
        # The line of a block scalar's `|` or `>` may end in a comment.
        block = isinstance(node, Scalar) and node.style in ("|", ">")
        yield (line_end(text, node.span.start) if block else node.span.start, node.span.end)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            yield from _scalar_spans(text, entry.key)
            yield from _scalar_spans(text, entry.value)
    elif node is not None:
        for item in node.items:
            yield from _scalar_spans(text, item)
