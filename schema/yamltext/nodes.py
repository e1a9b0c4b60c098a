"""Nodes with spans, built from PyYAML's parse events.

Events, not composed nodes: composing replaces an alias by the node it names, so the place of the alias
would be lost. The end of a block collection is the end of its last leaf; PyYAML's own end mark runs on to
the next token and takes comments of the next section with it.
"""

from __future__ import annotations

import re
import reprlib
from functools import cached_property
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import Protocol
from typing import TypeAlias
from typing import cast

from schema.place import made
from schema.pyyaml import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What YAML 1.1 makes of a plain `<<` and `=`: keys with a meaning of their own, and no values.
_TEXT_TAG = "tag:yaml.org,2002:str"
_KEY_TAGS = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")

_SURROGATE = "[\ud800-\udfff]"

#: Deeper nesting than this is no preset; the limit keeps a hostile file from exhausting the stack.
MAX_DEPTH = 64


class Mark(Protocol):
    """A position in the text, as either of PyYAML's parsers gives it; all count from 0."""

    index: int
    line: int
    column: int


class Span(NamedTuple):
    """Offsets in characters from the start of the text (a BOM not counted); lines and columns from 1.

    The end is the position behind the last character.
    """

    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int


def _between(start: Mark, end: Mark) -> Span:
    line, end_line = start.line + 1, end.line + 1
    return made(Span, (start.index, end.index, line, start.column + 1, end_line, end.column + 1))


class Scalar(NamedTuple):
    """A scalar; `value` is what PyYAML's safe loader (YAML 1.1) makes of it, which is what ms-swift sees.

    Nodes keep the parser's marks: few of a file's hundreds are ever asked for their span.
    """

    start: Mark
    end: Mark
    text: str
    value: object
    style: str | None
    anchor: str | None
    tag: str | None = None

    @property
    def span(self) -> Span:
        """Where it stands."""
        return _between(self.start, self.end)

    @property
    def plain(self) -> bool:
        """Whether the scalar stands without quotes and tag and is no block scalar."""
        return self.style is None and self.tag is None and self.end.index > self.start.index


class Sequence(NamedTuple):
    """A list, in block or flow style."""

    start: Mark
    end: Mark
    items: tuple[Node, ...]
    flow: bool
    anchor: str | None

    @property
    def span(self) -> Span:
        """Where it stands."""
        return _between(self.start, self.end)


class Entry(NamedTuple):
    """One `key: value` of a mapping."""

    key: Node
    value: Node


class Mapping(NamedTuple):
    """A mapping, in block or flow style, its entries in the order of the text."""

    start: Mark
    end: Mark
    entries: tuple[Entry, ...]
    flow: bool
    anchor: str | None

    @property
    def span(self) -> Span:
        """Where it stands."""
        return _between(self.start, self.end)


class Alias(NamedTuple):
    """A `*name`; `target` is the node that carries the anchor."""

    start: Mark
    end: Mark
    name: str
    target: Node

    @property
    def span(self) -> Span:
        """Where it stands."""
        return _between(self.start, self.end)


Node: TypeAlias = Scalar | Sequence | Mapping | Alias


class _Meanings(yaml.constructor.SafeConstructor, yaml.resolver.Resolver):
    """The parts of yaml.SafeLoader that decide what a single scalar means."""

    def __init__(self) -> None:
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)


_MEANINGS = _Meanings()


def _implied(text: str) -> str:
    # The tag of a plain scalar that has none.
    tag: str = _MEANINGS.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


@lru_cache(maxsize=1024)
def _plain(text: str) -> object:
    # The value of such a scalar. Files say the same things again and again, before and after an edit.
    tag = _implied(text)
    if tag == _TEXT_TAG or tag in _KEY_TAGS:
        return text
    return _writable(_MEANINGS.yaml_constructors[tag](_MEANINGS, yaml.ScalarNode(tag, text)))


def _writable(value: object) -> object:
    str(value)  # raises for an integer of thousands of digits, which Python reads but cannot write
    return value


class NestingError(Exception):
    """The text nests deeper than MAX_DEPTH, aliases followed; `mark` is where."""

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        super().__init__(f"nested more than {MAX_DEPTH} levels deep")


class Builder:
    """Turns the events of one stream into root nodes, one a document.

    Attributes:
        plain: the texts of all plain scalars so far.

    Raises:
        yaml.YAMLError: the text is not YAML.
        NestingError: the text nests deeper than MAX_DEPTH.
    """

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}
        self._heights: dict[str, int] = {}
        self.plain: set[str] = set()

    @cached_property
    def _loader(self) -> yaml.SafeLoader:
        # Only values with a tag of their own need one.
        return yaml.SafeLoader("")

    def roots(self) -> list[Node]:
        """The root node of every document of the stream."""
        found = []
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._heights = {}, {}
                found.append(self._node(next(self._events), 0))
        return found

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise NestingError(_start(event))
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None:  # as nearly always
            return self._scalar(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        anchor = cast("yaml.NodeEvent", event).anchor
        return self._fresh(event, depth) if anchor is None else self._anchored(anchor, event, depth)

    def _anchored(self, anchor: str, event: yaml.Event, depth: int) -> Node:
        if anchor in self._heights:
            raise _error(f"found duplicate anchor {anchor!r}", event)
        self._heights[anchor] = 0
        node = self._anchors[anchor] = self._fresh(event, depth)
        self._heights[anchor] = self._height(node)
        return node

    def _fresh(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(cast("yaml.MappingStartEvent", event), depth)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Alias:
        name = event.anchor
        if name is None or name not in self._anchors:
            raise _error(f"found undefined alias {name!r}", event)
        if depth + self._heights[name] > MAX_DEPTH:
            raise NestingError(_start(event))
        return Alias(_start(event), _end(event), name, self._anchors[name])

    def _height(self, node: Node) -> int:
        if isinstance(node, Alias):
            return self._heights[node.name]
        if isinstance(node, Scalar):
            return 0
        if isinstance(node, Sequence):
            below = list(node.items)
        else:
            below = [part for entry in node.entries for part in (entry.key, entry.value)]
        return 1 + max(map(self._height, below), default=0)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text, style, tag = event.value, event.style or None, None if event.tag == "!" else event.tag
        if style == '"':  # no other scalar has escapes
            _refuse_unholdable(event)
        value: object = text  # what is quoted, or a block, is what it says unless it has a tag, be it a bare `!`
        try:
            if tag is not None:
                value = self._tagged(event, tag)
            elif event.implicit[0]:
                self.plain.add(text)
                value = _plain(text)
        except yaml.YAMLError:
            raise
        except Exception as error:  # a date such as 2024-02-31, `!!bool x`: yaml.safe_load lets these escape
            shown, kind = reprlib.repr(text), (tag or _implied(text)).rpartition(":")[2]
            raise _error(f"{shown} is not a valid {kind}: {error}", event) from error
        return made(Scalar, (event.start_mark, event.end_mark, text, value, style, event.anchor, tag))

    def _tagged(self, event: yaml.ScalarEvent, tag: str) -> object:
        if tag == _TEXT_TAG or tag in _KEY_TAGS:
            return event.value
        node = yaml.ScalarNode(tag, event.value, cast("yaml.Mark", event.start_mark))
        return _writable(self._loader.construct_object(node, deep=True))

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> Sequence:
        _refuse_tag(event, "seq")
        items, events, below = [], self._events, depth + 1
        while not isinstance(following := next(events), yaml.SequenceEndEvent):
            items.append(self._node(following, below))
        end = _end(following) if event.flow_style or not items else items[-1].end
        return made(Sequence, (event.start_mark, end, tuple(items), bool(event.flow_style), event.anchor))

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> Mapping:
        _refuse_tag(event, "map")
        entries, events, below = [], self._events, depth + 1
        while not isinstance(following := next(events), yaml.MappingEndEvent):
            key = self._node(following, below)
            entries.append(made(Entry, (key, self._node(next(events), below))))
        end = _end(following)
        if entries and not event.flow_style:
            key, value = entries[-1]
            end = key.end if key.end.index > value.end.index else value.end
        return made(Mapping, (event.start_mark, end, tuple(entries), bool(event.flow_style), event.anchor))


def _refuse_unholdable(event: yaml.ScalarEvent) -> None:
    if "\0" in event.value:
        raise _error("holds a NUL character, which no command line can pass", event)
    if not event.value.isascii() and re.search(_SURROGATE, event.value):
        raise _error("holds half a character (a surrogate), which no file and no command line can hold", event)


def _refuse_tag(event: yaml.SequenceStartEvent | yaml.MappingStartEvent, kind: str) -> None:
    if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
        raise _error(f"tag {event.tag} is not allowed in a preset", event)


def _error(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.Mark", event.start_mark))


def _start(event: yaml.Event) -> Mark:
    # The stubs allow for events made by hand, which have no marks; the parsers' always do.
    return cast("Mark", event.start_mark)


def _end(event: yaml.Event) -> Mark:
    return cast("Mark", event.end_mark)
