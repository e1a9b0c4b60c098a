"""What belongs to a key: its lines, the comment block directly above it, and how much of that leaves with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit import flow
from migrate.yamledit.ownership import Named
from migrate.yamledit.ownership import owned
from migrate.yamledit.regions import lines
from migrate.yamledit.regions import region
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.yamledit.lookup import Spot
    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Node


def block(document: Document, where: Spot) -> list[str]:
    """The comment lines directly above a key, without indentation."""
    here = flow.part(document, where) if where.mapping.flow else region(document, where)
    return [line.strip() for line in lines(document.text[here.head : here.start]) if line.strip()]


def leaving(document: Document, where: Spot, *, goes: bool) -> int:
    """How many of these lines, counted from the key upwards, go (or else move) with the key."""
    found = block(document, where)
    if not found:
        return 0
    key, *following = map(_named, where.mapping.entries[where.number :])
    return owned(found, key, following, goes=goes)


def own(document: Document, where: Spot, above: int | None = None) -> tuple[int, int]:
    """From where to where everything belongs to a key, and the block above it, or so many lines of the block."""
    if where.mapping.flow:
        part = flow.part(document, where, above)
        return part.head, (part.end if part.whole else part.value)
    here = region(document, where, above)
    return here.head, here.end


def _named(entry: Entry) -> Named:
    return Named(" ".join(_texts(entry.key)), tuple(_texts(entry.value)))


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Mapping):
        for entry in node.entries:
            yield from (*_texts(entry.key), *_texts(entry.value))
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)
