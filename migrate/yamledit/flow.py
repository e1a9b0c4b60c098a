"""Edits in flow mappings (`{a: 1, b: 2}`), on one line or over several.

An entry that has its lines to itself goes and comes as whole lines, with the comments above it and at its
end; one that shares a line goes and comes with its comma, and comments on that line stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit.regions import colon_end
from migrate.yamledit.regions import head_of
from migrate.yamledit.regions import line_start
from migrate.yamledit.regions import newline_at
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import value_end
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.yamltext import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.lookup import Path
    from migrate.yamledit.lookup import Spot
    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Mapping
    from schema.yamltext import Node

_BRACE = re.compile(r"(?:[&!]\S*\s+)*\{")
_REST = re.compile(r"[ \t]*(,?)[ \t]*(?:#[^\n]*|\r?)\n")
_COMMA = re.compile(r"[ \t]*,")


class Part(NamedTuple):
    """Where an entry stands: from the comments above it, `head`, to its `end`; `value` is where its value ends.

    Attributes:
        comma: behind the comma that follows the value on its line, or None.
        whole: whether the lines are its own.
    """

    head: int
    start: int
    value: int
    comma: int | None
    end: int
    whole: bool


def opening(document: Document, mapping: Mapping) -> int:
    """Behind the brace of a flow mapping.

    Raises:
        InputError: it has none: a pair in a list, `[a: 1]`.
    """
    found = _BRACE.match(document.text, mapping.span.start)
    if found is None:
        raise refusal(document, mapping, "it is in a list without its own braces")
    return found.end()


def part(document: Document, where: Spot, above: int | None = None) -> Part:
    """Where an entry of a flow mapping stands, with the comment block above it, or so many lines of the block.

    Raises:
        InputError: it is written with a question mark, or has no braces.
    """
    text, key = document.text, where.entry.key
    start, floor = key.span.start, _before(document, where)
    if text[floor:start].rstrip().endswith("?"):
        raise refusal(document, key, "the key is written with a question mark")
    value = _value_end(text, where.entry)
    comma = _COMMA.match(text, value)
    behind = comma.end() if comma else None
    line, rest = line_start(text, start), _REST.match(text, value)
    if rest is None or text[line:start].strip() or not (rest[1] or where.is_last):
        return Part(start, start, value, behind, behind or value, whole=False)
    return Part(head_of(text, line, start - line, floor, above), start, value, behind, rest.end(), whole=True)


def _before(document: Document, where: Spot) -> int:
    """Where what stands before an entry ends: the entry before it, or the brace."""
    return _value_end(document.text, where.before.entry) if where.number else opening(document, where.mapping)


def _value_end(text: str, entry: Entry) -> int:
    # YAML 1.2 takes `a:,` for a key `a:`, so a space behind the colon belongs to an empty value.
    end = value_end(text, entry)
    return end + 1 if text[end - 1 : end + 1] == ": " else end


def delete(document: Document, where: Spot, above: int) -> str:
    """The text without an entry, and so many comment lines above it.

    Raises:
        InputError: a comment or a line break stands where only the comma should.
    """
    text, here = document.text, part(document, where, above)
    before = _before(document, where)
    if here.whole:
        return _without_comma(document, where, here, before) + text[here.end :]
    joined = "#" not in text[before : here.start] and "\n" not in text[before : here.start]
    if not where.is_last and not (where.number and joined):
        return _without_first(document, where, here)
    # With the comma before it, or else with the one behind it.
    end = here.value if where.number and joined else here.end
    return text[: before if joined else here.start] + text[end:]


def _without_comma(document: Document, where: Spot, here: Part, before: int) -> str:
    # Where the last entry has no comma, the entry before it keeps none either.
    text, comma = document.text, _COMMA.match(document.text, before)
    if here.comma or not (where.number and comma and where.is_last):
        return text[: here.head]
    return text[:before] + text[comma.end() : here.head]


def _without_first(document: Document, where: Spot, here: Part) -> str:
    text = document.text
    if here.comma is None:
        raise refusal(document, where.entry.key, "its comma does not follow it on its line")
    following = where.following.entry.key.span.start
    if not text[here.comma : following].strip(" \t"):
        return text[: here.start] + text[following:]
    return text[: here.start].rstrip(" \t") + text[here.comma :]


def insert(document: Document, where: Spot, source: str) -> str:
    """The text with an entry, given on one line, after another; in an empty mapping, in its braces."""
    text, mapping = document.text, where.mapping
    if not mapping.entries:
        inside = opening(document, mapping)
        end = inside if text[inside : mapping.span.end - 1].strip() else mapping.span.end - 1
        return text[:inside] + source + text[end:]
    here = part(document, where)
    if not here.whole:
        return f"{text[: here.value]}, {source}{text[here.value :]}"
    indent = text[line_start(text, here.start) : here.start]
    comma = "" if here.comma else ","
    line = f"{indent}{source}{',' if here.comma else ''}{newline_at(text, here.end)}"
    return text[: here.value] + comma + text[here.value : here.end] + line + text[here.end :]


def source(document: Document, place: Node, lines: Sequence[str], names: Path = ()) -> str:
    """Lines of a block mapping as one entry of a flow mapping, below keys that are missing on the way to it.

    Raises:
        InputError: they are several, hold a comment, or mean something else between braces.
    """
    entry = lines[0] + (" " if lines[0].endswith(":") else "")
    if len(lines) > 1 or not _means_the_same(document, entry):
        what = next(line.strip() for line in lines if not line.lstrip().startswith("#"))
        why = "a comment, several lines, or another meaning between braces"
        raise refusal(document, place, f"`{what}` would go into this flow mapping, which cannot hold it: {why}")
    for name in reversed(names):
        entry = f"{scalar(name)}: {{{entry}}}"
    return entry


def _means_the_same(document: Document, entry: str) -> bool:
    try:
        found = [parse(document.path, text.encode()).data() for text in (entry, f"{{{entry}}}")]
    except InputError:
        return False
    return repr(found[0]) == repr(found[1])


def as_block(document: Document, where: Spot, above: int) -> str:
    """An entry as it can stand in a block mapping: without its comma, below so many of the comment lines above it.

    Raises:
        InputError: it goes over several lines that it does not have to itself.
    """
    text, here, key = document.text, part(document, where, above), where.entry.key
    if not here.whole and "\n" in text[here.start : here.value]:
        raise refusal(document, key, "it goes over several lines of a flow mapping")
    colon = colon_end(text, where.entry)
    value = text[colon : here.value].rstrip(" ")
    separator = ": " if value and not value.startswith((" ", "\t", "\n", "\r")) else ":"
    rest = text[here.comma or here.value : here.end] if here.whole else ""
    return text[here.head : key.span.end] + separator + value + rest
