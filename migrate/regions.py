"""Which lines belong to a key of a block mapping: its comments, its value, what follows its value.

The rule of ownership: the comment block directly above a key, at the key's own indentation, and the end of
its line belong to the key. A comment block followed by a blank line is a section header and stays. Comment
lines after a nested value that are indented deeper than the key belong to the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.place import Place
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext import Sequence

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
    return Region(_head(text, line, column), line, _foot(text, end, column, entry.value))


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
    return _colon(text, entry) if end == entry.key.span.end else end


def _colon(text: str, entry: Entry) -> int:
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
    body = text[node.span.start : node.span.end]
    if "+" in body.split("\n", 1)[0]:  # keeps its trailing blank lines
        return node.span.end
    content = node.span.start + len(body.rstrip())
    newline = text.find("\n", content)
    return len(text) if newline < 0 else newline + 1


def _head(text: str, line: int, column: int) -> int:
    head = line
    while head > 0:
        above = line_start(text, head - 1)
        if not is_comment(text[above:head], column):
            break
        head = above
    return head


def _foot(text: str, end: int, column: int, value: Node) -> int:
    if not isinstance(value, Mapping | Sequence) or value.flow:
        return end
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
    return InputError(
        f"cannot be edited safely: {reason}; change it by hand",
        Place(document.path, node.span.line, node.span.column),
    )
