"""Which comments a YAML text has and which key each stands at, found without the editor under test.

Where comments stand is found here; what they say is judged by migrate.yamledit.ownership, which knows no YAML.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import yaml

from migrate.yamledit.ownership import Named
from migrate.yamledit.ownership import owned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus.choice import Path

_COMMENT_LINE = re.compile(r"[ \t]*#")
#: What a comment at the top of a file says of the file, not of its first key.
_OF_THE_FILE = re.compile(
    r"#(!| *(copyright|spdx-|licensed under|yaml-language-server|vim?:|-\*-))", re.IGNORECASE
)


class Comments:
    """All comments of a text: each with its line."""

    def __init__(self, text: str) -> None:
        self.found: list[tuple[int, str]] = []
        tokens = [token for token in yaml.scan(text, yaml.CSafeLoader) if isinstance(token, yaml.ScalarToken)]
        self.ends_in_block = bool(tokens) and tokens[-1].style in ("|", ">")
        spans = [_scalar(text, token) for token in tokens]
        starts = [start for start, _ in spans]
        offset = 0
        for number, line in enumerate(text.split("\n")):
            at = line.find("#")
            while at >= 0:
                index = bisect_right(starts, offset + at) - 1
                inside = index >= 0 and offset + at < spans[index][1]
                if not inside and (at == 0 or line[at - 1] in " \t,[]{}"):
                    self.found.append((number, line[at:].rstrip()))
                    break
                at = line.find("#", at + 1)
            offset += len(line) + 1

    def texts(self, first: int = 0, last: int | None = None) -> list[str]:
        """The comments of some lines, the last included."""
        return [text for line, text in self.found if line >= first and (last is None or line <= last)]


def _scalar(text: str, token: Any) -> tuple[int, int]:
    start = token.start_mark.index
    if token.style in ("|", ">"):
        start = text.find("\n", start)
    return start, token.end_mark.index


class Owned(NamedTuple):
    """A key of a block mapping, with the block above it and the end of its line; lines count from 0.

    Attributes:
        head: the comment lines directly above it.
        tail: the comments of its line.
        line: its line.
        last: the last line that belongs to it.
        goes: how many lines of the block go where the key is deleted.
        moves: how many move with it.
    """

    head: tuple[str, ...]
    tail: tuple[str, ...]
    line: int
    last: int
    goes: int
    moves: int

    def leaving(self, kind: str) -> int:
        """How many lines of the block an edit takes along."""
        return {"delete": self.goes, "move": self.moves}.get(kind, 0)


def owners(text: str, comments: Comments) -> dict[Path, Owned]:
    """What belongs to each key that stands in a block mapping."""
    return _Owners(text, comments).found


def _following(node: Any, key: Any) -> list[Named]:
    """A key and those below it, with the texts of their values; what an alias brings has no text of its own."""
    at = next(number for number, (other, _) in enumerate(node.value) if other is key)
    return [Named(" ".join(_texts(other, other)), tuple(_texts(value, other))) for other, value in node.value[at:]]


def _texts(node: Any, key: Any) -> Iterator[str]:
    if node.start_mark.index < key.start_mark.index:
        return
    if isinstance(node, yaml.ScalarNode):
        yield node.value
    for part in node.value if isinstance(node, yaml.CollectionNode) else ():
        for child in part if isinstance(part, tuple) else (part,):
            yield from _texts(child, key)


class _Owners:
    def __init__(self, text: str, comments: Comments) -> None:
        self._lines = text.split("\n")
        self._text = text
        self._at: dict[int, list[str]] = {}
        for line, comment in comments.found:
            self._at.setdefault(line, []).append(comment)
        self._loader = yaml.SafeLoader("")
        self.found: dict[Path, Owned] = {}
        self._seen: set[int] = set()
        self._walk(yaml.compose(text, yaml.CSafeLoader), (), -1)

    def _walk(self, node: Any, path: Path, floor: int) -> None:
        if node is None or id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*path, index), floor)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    here = (*path, self._loader.construct_object(key) if "merge" not in key.tag else "<<")
                    if not node.flow_style:
                        self.found[here] = self._owned(node, key, value, floor)
                    self._walk(value, here, key.end_mark.line)
                floor = max(self._end(key), self._end(value), key.end_mark.line)

    def _owned(self, node: Any, key: Any, value: Any, floor: int) -> Owned:
        line, column = key.start_mark.line, key.start_mark.column
        last = max(line, self._end(value))
        first = line
        if not self._lines[line][:column].strip():
            while first - 1 > floor and self._is_comment(first - 1) and self._column(first - 1) <= column:
                first -= 1
        top = first < line and not any(part.strip() for part in self._lines[:first])
        if top and any(_OF_THE_FILE.match(part.strip()) for part in self._lines[first:line]):
            first = line
        head = tuple(self._lines[number].strip() for number in range(first, line))
        own, *following = _following(node, key) if head else [Named("")]
        counts = [owned(head, own, following, goes=goes) for goes in (True, False)]
        return Owned(head, tuple(self._at.get(line, ())), line, self._foot(last, column), *counts)

    def _is_comment(self, line: int) -> bool:
        return bool(_COMMENT_LINE.match(self._lines[line]))

    def _column(self, line: int) -> int:
        return len(self._lines[line]) - len(self._lines[line].lstrip(" \t"))

    def _foot(self, last: int, column: int) -> int:
        foot, here = last, last + 1
        while here < len(self._lines):
            blank = not self._lines[here].strip()
            if not blank and not (self._is_comment(here) and self._column(here) > column):
                break
            foot = foot if blank else here
            here += 1
        return foot

    def _end(self, node: Any) -> int:
        """The last line of a node: of its last leaf."""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar_end(node)
        if node.flow_style or not node.value:
            return int(node.end_mark.line)
        last = node.value[-1]
        if isinstance(last, tuple):
            # A value that is reached through an alias ends somewhere else.
            return max(self._end(part) if part.start_mark.index >= node.start_mark.index else -1 for part in last)
        return self._end(last) if last.start_mark.index >= node.start_mark.index else int(node.start_mark.line)

    def _scalar_end(self, node: Any) -> int:
        end = node.end_mark.index
        if node.style in ("|", ">"):
            header = self._text[node.start_mark.index :].split(maxsplit=1)[0]
            body = self._text[node.start_mark.index : end]
            end = node.start_mark.index + (len(body) - 1 if "+" in header else len(body.rstrip()))
        return self._text.count("\n", 0, end)
