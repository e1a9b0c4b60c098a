"""What stands near an edit: its own lines, the headers of what it stands in, and the text of its mapping."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit import heads
from migrate.yamledit.lookup import spot
from migrate.yamledit.regions import is_comment
from migrate.yamledit.regions import line_start
from schema.errors import InputError
from schema.yamltext.comments import line_end
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.yamledit.lookup import Spot
    from schema.yamltext import Document
    from schema.yamltext.edit import Edit
    from schema.yamltext.edit import Path

Range = tuple[int, int]


class Nearby(NamedTuple):
    """Ranges of offsets: of the key's own block and lines, of headers, and of all that its mapping holds."""

    own: list[Range]
    headers: list[Range]
    mappings: list[Range]

    def is_own(self, offset: int) -> bool:
        """Whether something stands above the key, or on its lines."""
        return _in(self.own, offset)

    def heads(self, offset: int) -> bool:
        """Whether something stands in a header of what the key stands in."""
        return _in(self.headers, offset)

    def holds(self, offset: int) -> bool:
        """Whether something stands anywhere near the key."""
        return _in([*self.own, *self.headers, *self.mappings], offset)


def _in(ranges: Iterable[Range], offset: int) -> bool:
    return any(start <= offset < end for start, end in ranges)


def nearby(document: Document, edit: Edit) -> Nearby:
    """What stands near an edit in the file as it was: near the key, and near the mapping that it comes to."""
    found = Nearby([], [_top(document)], [])
    paths = [edit.path] if edit.file == document.path else []
    for path in [*paths, *([edit.to] if isinstance(edit, Move) and edit.target == document.path else [])]:
        with suppress(InputError):  # written in a way that cannot be edited: its neighbours are not sought
            _add(found, document, path, whole=not isinstance(edit, Prune))
    return found


def _top(document: Document) -> Range:
    entries = document.root.entries if document.root else ()
    return 0, (line_start(document.text, entries[0].key.span.start) if entries else len(document.text))


def _add(found: Nearby, document: Document, path: Path, *, whole: bool) -> None:
    outer: Spot | None = None
    for depth in range(1, len(path) + 1):
        where = spot(document, path[:depth])
        if depth == len(path) and whole:
            found.mappings.append(_around(document, outer) if outer else (0, len(document.text)))
        if where is None:
            break
        found.headers.append(_header(document, where, outer))
        if depth < len(path):
            found.headers.append(_key_line(document, where))
        else:
            found.own.append(_around(document, where))
        outer = where


def _around(document: Document, where: Spot) -> Range:
    """From the comment block above a key to the end of its lines."""
    start, end = heads.own(document, where)
    return start, line_end(document.text, max(start, end - 1))


def _key_line(document: Document, where: Spot) -> Range:
    """The comment block above a key, and its first line."""
    start, _ = _around(document, where)
    return start, line_end(document.text, where.entry.key.span.start)


def _header(document: Document, where: Spot, outer: Spot | None) -> Range:
    """The closest comment block further up than the key's own, below the key of its mapping."""
    text, column = document.text, where.entry.key.span.column - 1
    floor = line_end(text, outer.entry.key.span.start) if outer else 0
    here = line_start(text, _around(document, where)[0])
    end: int | None = None
    while here > floor:
        above = line_start(text, here - 1)
        if is_comment(text[above:here], column):
            end = end or here
        elif end:
            break
        here = above
    return here, end or here
