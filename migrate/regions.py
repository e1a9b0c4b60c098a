"""Which lines belong to a key of a block mapping: its comments, its value, what follows its value.

The rule of ownership: the comment block directly above a key, at the key's own indentation, and the end of
its line belong to the key. A comment block followed by a blank line is a section header and stays. Comment
lines after a value that are indented deeper than the key belong to the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.place import Place
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext import Sequence

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
#: A block scalar that keeps its trailing blank lines, or gives its own indentation.
_EXACT = re.compile(r"[^#]*[+0-9]")

if TYPE_CHECKING:
    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Node


class Region(NamedTuple):
    """Offsets of whole lines: `head` where the key's comments begin, `line` its own line, `end` behind it."""

    head: int
    line: int
    end: int


def region(document: Document, entry: Entry) -> Region:
    """The lines of an entry of a block mapping.

    Raises:
        InputError: the key does not begin its line (`- key:`, `? key`), or something else shares its last
            line, so that its lines cannot be cut without touching another value.
    """
    text = document.text
    line = line_start(text, entry.key.span.start)
    if text[line : entry.key.span.start].strip():
        raise refusal(document, entry.key, "another token stands before this key on its line")
    value = value_end(text, entry)
    end = value if text[line:value].endswith("\n") else line_end(text, value)
    rest = text[value:end].strip()
    if rest and not rest.startswith("#"):
        raise refusal(document, entry.value, "something else follows this value on its line")
    column = entry.key.span.column - 1
    return Region(_head(text, line, column), line, _foot(text, end, column))


def lines(text: str) -> list[str]:
    """The lines of a text with their newlines; str.splitlines would also split at form feeds and the like."""
    return _LINE.findall(text)


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Behind the newline of the line of an offset, or the end of the text."""
    newline = text.find("\n", offset)
    return len(text) if newline < 0 else newline + 1


def value_end(text: str, entry: Entry) -> int:
    """Where the value of an entry ends; of a block scalar behind its last line with content."""
    end = max(_node_end(text, entry.value), entry.key.span.end)
    # An empty value ends where its key does; the colon stands behind it.
    return colon_end(text, entry) if end == entry.key.span.end else end


def colon_end(text: str, entry: Entry) -> int:
    """Behind the colon of an entry."""
    return text.index(":", entry.key.span.end) + 1


def _node_end(text: str, node: Node) -> int:
    if isinstance(node, Mapping) and node.entries and not node.flow:
        return value_end(text, node.entries[-1])
    if isinstance(node, Sequence) and node.items and not node.flow:
        return _node_end(text, node.items[-1])
    if isinstance(node, Scalar) and node.style in ("|", ">"):
        return _block_scalar_end(text, node)
    return node.span.end


def _block_scalar_end(text: str, node: Scalar) -> int:
    header, *body = lines(text[node.span.start : node.span.end])
    if _EXACT.match(header):
        return node.span.end
    indent = next((_indent(line) for line in body if line.strip(" \r\n")), len(text))
    while body and not body[-1].strip(" \r\n") and _indent(body[-1]) <= indent:
        body.pop()
    return node.span.start + len(header) + sum(map(len, body))


def _head(text: str, line: int, column: int) -> int:
    head = line
    while head > 0:
        above = line_start(text, head - 1)
        if not is_comment(text[above:head], column):
            break
        head = above
    return head


def _foot(text: str, end: int, column: int) -> int:
    foot = here = end
    while here < len(text):
        following = line_end(text, here)
        stripped = text[here:following].strip()
        if stripped and (not stripped.startswith("#") or _indent(text[here:following]) <= column):
            break
        here = following
        if stripped:
            foot = here
    return foot


def is_comment(line: str, column: int) -> bool:
    """Whether a line is a comment at exactly this indentation."""
    return line.lstrip(" ").startswith("#") and _indent(line) == column


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def refusal(document: Document, node: Node, reason: str) -> InputError:
    """The error for an edit that has no safe splice."""
    return unsafe(Place(document.path, node.span.line, node.span.column), reason)


def unsafe(place: Place, reason: str) -> InputError:
    """The same, for a place that is no node."""
    return InputError(f"cannot be edited safely: {reason}; change it by hand", place)
