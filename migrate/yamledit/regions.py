"""Which lines belong to a key of a block mapping: its comments, its value, what follows its value.

The end of its line belongs to a key, and comment lines after a value that are indented deeper than the key.
The comment block directly above it, indented as the key or less, is the key's as far as migrate.yamledit.ownership
says. A comment block followed by a blank line is a section header and stays, and so does what the top of a
file says of the file (a copyright, an editor's mode line). Comments above a list item (`- key: 1`) stay with
the list.
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
from schema.yamltext.comments import line_end

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
#: A block scalar that keeps its trailing blank lines, or gives its own indentation.
_EXACT = re.compile(r"(?:[&!]\S*\s+)*[|>]-?[+0-9]")
_COLON = re.compile(r"[ \t]*:")
_DASHES = re.compile(r" *(?:- +)+")
#: What a comment at the top of a file says of the file, not of its first key.
_OF_THE_FILE = re.compile(
    r"\s*#(?:!| *(?:copyright|spdx-|licensed under|yaml-language-server|vim?:|-\*-))", re.IGNORECASE
)

if TYPE_CHECKING:
    from migrate.yamledit.lookup import Spot
    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Node


class Region(NamedTuple):
    """Offsets: `head` where the comments above the key begin, `start` of the key itself, `end` behind its lines.

    Attributes:
        dash: whether the key stands behind the dash of its list item, so that its line is not its own.
    """

    head: int
    start: int
    end: int
    dash: bool


def region(document: Document, spot: Spot, above: int | None = None) -> Region:
    """What belongs to a key of a block mapping, and the comment block above it, or so many lines of the block.

    Raises:
        InputError: the key does not begin its line (`? key`), or something else shares its last line, so
            that its lines cannot be cut without touching another value.
    """
    text, entry = document.text, spot.entry
    start = entry.key.span.start
    line = line_start(text, start)
    dash = _DASHES.fullmatch(text, line, start) is not None
    if text[line:start].strip() and not dash:
        raise refusal(document, entry.key, "another token is before this key on its line")
    end = _foot(text, _last_line_end(document, entry, line), entry.key.span.column - 1)
    if dash:
        return Region(start, start, end, dash)
    floor = value_end(text, spot.before.entry) if spot.number else 0
    return Region(head_of(text, line, start - line, floor, above), start, end, dash)


def _last_line_end(document: Document, entry: Entry, line: int) -> int:
    text, value = document.text, value_end(document.text, entry)
    end = value if text[line:value].endswith("\n") else line_end(text, value)
    rest = text[value:end].strip()
    if rest and not rest.startswith("#"):
        raise refusal(document, entry.value, "something else follows this value on its line")
    return end


def lines(text: str) -> list[str]:
    """The lines of a text with their newlines; str.splitlines would also split at form feeds and the like."""
    return _LINE.findall(text)


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def newline_at(text: str, offset: int) -> str:
    """The line ending of a file at a place: that of the line before it, else of its first line."""
    found = text.rfind("\n", 0, offset)
    found = found if found >= 0 else text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def value_end(text: str, entry: Entry) -> int:
    """Where the value of an entry ends; of a block scalar behind its last line with content."""
    if is_nothing(entry.value):
        return colon_end(text, entry)
    return max(_node_end(text, entry.value), entry.key.span.end)


def is_nothing(node: Node) -> bool:
    """Whether a value has no text at all."""
    return isinstance(node, Scalar) and node.span.start == node.span.end


def colon_end(text: str, entry: Entry) -> int:
    """Behind the colon of an entry; behind its key, where it has none (`{a, b}`)."""
    found = _COLON.match(text, entry.key.span.end)
    return found.end() if found else entry.key.span.end


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


def head_of(text: str, line: int, column: int, floor: int, most: int | None = None) -> int:
    """Where the comments directly above a line begin, or the last so many of them; `floor` is never passed."""
    head, left = line, len(text) if most is None else most
    while head > floor and left:
        above = line_start(text, head - 1)
        if above < floor or not is_comment(text[above:head], column):
            break
        head, left = above, left - 1
    if not text[:head].strip() and any(map(_OF_THE_FILE.match, lines(text[head:line]))):
        return line
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
    """Whether a line is a comment that is indented to a column, or less."""
    return line.lstrip(" \t").startswith("#") and _indent(line) <= column


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def refusal(document: Document, node: Node, reason: str) -> InputError:
    """The error for an edit that has no safe splice."""
    return unsafe(Place(document.path, *node.span[2:]), reason)


def unsafe(place: Place, reason: str) -> InputError:
    """The same, for a place that is no node."""
    return InputError(f"cannot be edited safely: {reason}; change it by hand", place)
