"""Finds keys in a document as its text has them, not as aliases and merge keys make them appear."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from migrate.yamledit.regions import refusal
from schema.yamltext import Alias
from schema.yamltext import Entry
from schema.yamltext import Mapping
from schema.yamltext import Node
from schema.yamltext import Sequence
from schema.yamltext.construct import is_merge
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from schema.yamltext import Document

#: Keys of mappings and numbers of list items, from the root on.
Path: TypeAlias = tuple[Hashable, ...]


def dotted(path: Path) -> str:
    """A path as messages show it."""
    return ".".join(map(str, path))


class Spot(NamedTuple):
    """A key of a mapping, or an item of a list: the collection that it stands in, and its number there."""

    parent: Mapping | Sequence
    number: int

    @property
    def node(self) -> Node:
        """The value of the key, or the item."""
        if isinstance(self.parent, Mapping):
            return self.parent.entries[self.number].value
        return self.parent.items[self.number]

    @property
    def mapping(self) -> Mapping:
        """The mapping that the key stands in."""
        if not isinstance(self.parent, Mapping):
            raise TypeError("an item of a list has no key")
        return self.parent

    @property
    def entry(self) -> Entry:
        """The key with its value."""
        return self.mapping.entries[self.number]

    @property
    def is_last(self) -> bool:
        """Whether no key of its mapping follows."""
        return self.number == len(self.mapping.entries) - 1

    @property
    def following(self) -> Spot:
        """The key or item behind it."""
        return self._replace(number=self.number + 1)

    @property
    def before(self) -> Spot:
        """The key or item before it."""
        return self._replace(number=self.number - 1)


def spot(document: Document, path: Path) -> Spot | None:
    """Where a path leads; None if the text has no such key or item of its own.

    Raises:
        InputError: the way there leads through an alias or a merge key, or a key on it stands twice.
    """
    found: Spot | None = None
    node: Node | None = document.root
    for step in path:
        if isinstance(node, Alias):
            raise refusal(document, node, f"the value comes through the alias *{node.name}")
        number = _number(document, node, step)
        if number is None or not isinstance(node, Mapping | Sequence):
            return None
        found = Spot(node, number)
        node = found.node
    return found


def find(document: Document, path: Path) -> Entry | None:
    """The entry at a path; None if the text has no such key of its own; raises what `spot` raises."""
    found = spot(document, path)
    return found.entry if found and isinstance(found.parent, Mapping) else None


def required(document: Document, path: Path) -> Spot:
    """The same as `spot`, for what must be there.

    Raises:
        KeyError: there is nothing.
    """
    found = spot(document, path)
    if found is None:
        raise KeyError(path)
    return found


def node_at(document: Document, path: Path) -> Node | None:
    """The value at a path; the root for an empty one."""
    return required(document, path).node if path else document.root


def _number(document: Document, node: Node | None, step: Hashable) -> int | None:
    if isinstance(node, Sequence):
        return step if isinstance(step, int) and 0 <= step < len(node.items) else None
    return _own(document, node, step) if isinstance(node, Mapping) else None


def _own(document: Document, mapping: Mapping, name: Hashable) -> int | None:
    key = document.constructor().key
    found = [
        number for number, entry in enumerate(mapping.entries) if same(key(entry), name) and not is_merge(entry)
    ]
    if len(found) > 1:
        raise refusal(document, mapping.entries[found[1]].key, f"the key {name} is there twice")
    if not found:
        _refuse_merged(document, mapping, name)
    return found[0] if found else None


def _refuse_merged(document: Document, mapping: Mapping, name: Hashable) -> None:
    merge = next((entry for entry in mapping.entries if is_merge(entry)), None)
    if merge and any(same(key, name) for key in document.constructor().entries(mapping)):
        raise refusal(document, merge.key, f"the key {name} comes through a merge key (<<)")
