"""From nodes to the data that PyYAML's safe loader makes of the same text, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import YamlError
from schema.place import Place
from schema.place import made
from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Entry
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Node
from schema.yamltext.nodes import Scalar
from schema.yamltext.nodes import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Aliases may expand a document to this many nodes; more is a "billion laughs" file.
MAX_NODES = 100_000
#: Plain scalars that YAML 1.1 knows as keys only; as a value PyYAML refuses them.
KEYS_ONLY = ("<<", "=")


class Constructor:
    """Makes data of nodes; one instance a file, so that the alias bound holds over the whole file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._left = MAX_NODES

    def place(self, node: Node) -> Place:
        """Where a node stands."""
        start, end = node.start, node.end
        place = (self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        return made(Place, place)

    def data(self, node: Node) -> object:
        """The data of a node.

        Raises:
            InputError: a duplicate or unhashable key, a bad merge, or too many nodes through aliases.
        """
        self._spend(node)
        target = dereferenced(node)
        if isinstance(target, Scalar):
            if target.text in KEYS_ONLY and target.plain:
                raise YamlError(f"{target.text} has a meaning only as a key; quote it", self.place(node))
            return target.value
        if isinstance(target, Sequence):
            return [self.data(item) for item in target.items]
        return {key: self.data(entry.value) for key, entry in self.entries(target).items()}

    def key(self, entry: Entry) -> object:
        """The key of an entry as a Python value."""
        node = entry.key if isinstance(entry.key, Scalar) else dereferenced(entry.key)
        value = node.value if isinstance(node, Scalar) else self.data(node)
        if isinstance(value, str):
            return value
        try:
            hash(value)
        except TypeError:
            raise YamlError("a mapping key cannot be a list or a mapping", self.place(entry.key)) from None
        if isinstance(value, bytes):
            raise YamlError("a mapping key cannot be binary", self.place(entry.key))
        return value

    def entries(self, mapping: Mapping) -> dict[object, Entry]:
        """The entries that count, by key: merge keys (`<<`) are expanded, and lose against keys of the mapping.

        Raises:
            InputError: a key stands twice (PyYAML would silently keep the last one).
        """
        seen: dict[object, Entry] = {}
        merges: dict[object, Entry] = {}
        for entry in mapping.entries:
            key = self.key(entry)
            found = merges if key == "<<" and is_merge(entry) else seen
            if key in found:
                raise self._duplicate(found[key], key, entry)
            found[key] = entry
        for merge in merges.values():
            for key, entry in self._merged(merge.value):
                self._spend(merge.value)
                seen.setdefault(key, entry)
        return seen

    def _duplicate(self, first: Entry, key: object, entry: Entry) -> YamlError:
        return YamlError(
            f"duplicate key {key!r}: it is also in line {first.key.span.line}, and PyYAML would"
            " silently keep only the last one; remove one of the two",
            self.place(entry.key),
        )

    def _merged(self, value: Node) -> Iterator[tuple[object, Entry]]:
        self._spend(value)
        target = dereferenced(value)
        if isinstance(target, Mapping):
            yield from self.entries(target).items()
        elif isinstance(target, Sequence):
            for item in target.items:
                yield from self._merged(item)
        else:
            raise YamlError("a merge key (<<) needs a mapping or a list of mappings", self.place(value))

    def _spend(self, node: Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise YamlError(f"holds more than {MAX_NODES} values, aliases expanded", self.place(node))


def dereferenced(node: Node) -> Scalar | Sequence | Mapping:
    """The node itself, or the one that an alias names."""
    while isinstance(node, Alias):
        node = node.target
    return node


def is_merge(entry: Entry) -> bool:
    """Whether an entry is a YAML 1.1 merge key: a plain `<<`."""
    key = entry.key
    return isinstance(key, Scalar) and key.text == "<<" and key.plain
