"""The comments of a document: every `#` that stands in no scalar begins one."""

from __future__ import annotations

from bisect import bisect_right
from itertools import chain
from typing import TYPE_CHECKING

from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Scalar

if TYPE_CHECKING:
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
    spans: list[tuple[int, int]] = []
    _add_spans(spans, text, document.root, (start, end))
    spans.sort()
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


def _add_spans(spans: list[tuple[int, int]], text: str, node: Node | None, part: tuple[int, int]) -> None:
    """Adds the scalars of a node that reach into a part of the text."""
    if node is None or node.end.index < part[0] or node.start.index > part[1]:
        return
    if isinstance(node, Scalar | Alias):
        # The line of a block scalar's `|` or `>` may end in a comment.
        block = isinstance(node, Scalar) and node.style in ("|", ">")
        start = node.start.index
        spans.append((line_end(text, start) if block else start, node.end.index))
        return
    for below in chain.from_iterable(node.entries) if isinstance(node, Mapping) else node.items:
        _add_spans(spans, text, below, part)
