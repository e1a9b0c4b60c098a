"""Nodes with spans, built from PyYAML's parse events.

Events, not composed nodes: composing replaces an alias by the node it names, so the place of the alias
would be lost. The end of a block collection is the end of its last leaf; PyYAML's own end mark runs on to
the next token and takes comments of the next section with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Deeper nesting than this is no preset; the limit keeps a hostile file from exhausting the stack.
MAX_DEPTH = 64


class Span(NamedTuple):
    """Offsets in characters from the start of the text (a BOM not counted); line and column from 1."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar; `value` is what PyYAML's safe loader (YAML 1.1) makes of it, which is what ms-swift sees."""

    span: Span
    text: str
    value: object
    style: str | None
    anchor: str | None

    @property
    def plain(self) -> bool:
        """Whether the scalar stands without quotes and is no block scalar."""
        return self.style is None and self.span.end > self.span.start


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, in block or flow style."""

    span: Span
    items: tuple[Node, ...]
    flow: bool
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping."""

    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, in block or flow style, its entries in the order of the text."""

    span: Span
    entries: tuple[Entry, ...]
    flow: bool
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """A `*name`; `target` is the node that carries the anchor."""

    span: Span
    name: str
    target: Node


Node: TypeAlias = Scalar | Sequence | Mapping | Alias


class NestingError(Exception):
    """The text nests deeper than MAX_DEPTH; `mark` is where."""

    def __init__(self, mark: yaml.Mark) -> None:
        self.mark = mark
        super().__init__(f"nested more than {MAX_DEPTH} levels deep")


class Builder:
    """Turns the events of one stream into root nodes, one a document.

    Raises:
        yaml.YAMLError: the text is not YAML.
        NestingError: the text nests deeper than MAX_DEPTH.
    """

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        # Resolves and constructs single scalars exactly as yaml.safe_load does.
        self._loader = yaml.SafeLoader("")

    def roots(self) -> list[Node]:
        """The root node of every document of the stream."""
        found = []
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                found.append(self._node(next(self._events), 0))
        return found

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise NestingError(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        node = self._fresh(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _fresh(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _alias(self, event: yaml.AliasEvent) -> Alias:
        if event.anchor not in self._anchors:
            raise yaml.composer.ComposerError(
                None, None, f"found undefined alias {event.anchor!r}", event.start_mark
            )
        return Alias(_span(event.start_mark, event.end_mark), event.anchor, self._anchors[event.anchor])

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark, event.style)
        value = self._constructed(node)
        style = event.style or None
        span = _span(event.start_mark, event.end_mark)
        return Scalar(span, event.value, value, style, event.anchor)

    def _constructed(self, node: yaml.ScalarNode) -> object:
        if node.tag == "tag:yaml.org,2002:merge":
            return node.value
        try:
            return self._loader.construct_object(node, deep=True)
        except ValueError as error:  # a date such as 2024-02-31, which yaml.safe_load lets escape
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> Sequence:
        _refuse_tag(event, "seq")
        items = []
        while not isinstance(following := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(following, depth + 1))
        end = following.end_mark.index if event.flow_style or not items else items[-1].span.end
        return Sequence(_span(event.start_mark, end), tuple(items), bool(event.flow_style), event.anchor)

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> Mapping:
        _refuse_tag(event, "map")
        entries = []
        while not isinstance(following := next(self._events), yaml.MappingEndEvent):
            key = self._node(following, depth + 1)
            entries.append(Entry(key, self._node(next(self._events), depth + 1)))
        end = following.end_mark.index
        if entries and not event.flow_style:
            end = max(entries[-1].key.span.end, entries[-1].value.span.end)
        return Mapping(_span(event.start_mark, end), tuple(entries), bool(event.flow_style), event.anchor)


def _refuse_tag(event: yaml.SequenceStartEvent | yaml.MappingStartEvent, kind: str) -> None:
    if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
        raise yaml.constructor.ConstructorError(
            None, None, f"tag {event.tag} has no place in a preset", event.start_mark
        )


def _span(start: yaml.Mark, end: yaml.Mark | int) -> Span:
    stop = end if isinstance(end, int) else end.index
    return Span(start.index, stop, start.line + 1, start.column + 1)
