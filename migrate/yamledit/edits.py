"""The edits that a migration is made of: what each does to the data, and what it does to the text.

Each names its file, so that a move from one file to another is the same edit as a move within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from migrate.yamledit import document as text
from migrate.yamledit.lookup import dotted
from migrate.yamledit.lookup import spot
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import unsafe
from migrate.yamledit.scalars import flow
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.place import Place
from schema.yamltext import Alias
from schema.yamltext import Mapping as Entries
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.yamltext import Document
    from schema.yamltext import Node

Path: TypeAlias = tuple[str, ...]
Data: TypeAlias = dict[Any, Any]

#: The file of an edit that is not placed yet.
NOWHERE = FilePath()


@dataclass(frozen=True)
class Change:
    """A scalar gets another value; of a list as long as the new one, the items do."""

    path: Path
    value: object
    reason: str
    file: FilePath = NOWHERE

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        _parent(data[self.file], self.path)[self.path[-1]] = self.value

    def on_text(self, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
        """The new text of the file."""
        return {self.file: _with_value(files[self.file], self.path, self.value)}


@dataclass(frozen=True)
class Remove:
    """A key goes, with the comments that speak of it.

    Attributes:
        path: the key.
        reason: why it goes.
        above: how many comment lines above it are its own; None until the edits are settled.
        file: where it stands.
    """

    path: Path
    reason: str
    above: int | None = None
    file: FilePath = NOWHERE

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        del _parent(data[self.file], self.path)[self.path[-1]]

    def on_text(self, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
        """The new text of the file."""
        document = files[self.file]
        return {self.file: text.delete(document, self.path, own_lines(document, self))}


@dataclass(frozen=True)
class Prune(Remove):
    """A mapping goes that the edits before have emptied."""


@dataclass(frozen=True)
class Add:
    """A key comes: after another one of its mapping, or at the mapping's end; missing mappings are made.

    Where the key is there already, say as null, it gets the value.
    """

    path: Path
    value: object
    reason: str
    after: str | None = None
    file: FilePath = NOWHERE

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        _put(data[self.file], self.path, self.value)

    def on_text(self, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
        """The new text of the file."""
        return {self.file: self._added(files[self.file])}

    def _added(self, document: Document) -> str:
        try:
            source = flow(self.value)
        except TypeError as error:
            raise unsafe(Place(document.path), f"{dotted(self.path)} would be {self.value!r}") from error
        if text.find(document, self.path) is None:
            return _inserted(document, self.path, self.after, [f"{scalar(self.path[-1])}: {source}"])
        if isinstance(self.value, dict) or not _fits(document, self.path, self.value):
            return text.set_source(document, self.path, source)
        return _with_value(document, self.path, self.value)


class Keep:
    """Stands for the value that a moved key already has."""


KEEP = Keep()


@dataclass(frozen=True)
class Move:
    """A key goes to another mapping, with its comments: after a key of it, or to its end.

    Its value may change on the way; `above` and `file` are as in `Remove`.

    Attributes:
        into: the file that it goes to, or None if that is its own.
    """

    path: Path
    to: Path
    reason: str
    value: object = KEEP
    after: str | None = None
    above: int | None = None
    file: FilePath = NOWHERE
    into: FilePath | None = None

    @property
    def target(self) -> FilePath:
        """The file that it goes to."""
        return self.file if self.into is None else self.into

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        old = _parent(data[self.file], self.path).pop(self.path[-1])
        _put(data[self.target], self.to, old if isinstance(self.value, Keep) else self.value)

    def on_text(self, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
        """The new text of each of its files."""
        document = files[self.file]
        lines, rest = self.taken(document), text.delete(document, self.path, own_lines(document, self))
        if self.target == self.file:
            self._refuse_there(document)
            return {self.file: self._arrived(reparsed(document, rest, self.path), lines)}
        return {self.file: rest, self.target: self.arrived(files[self.target], lines)}

    def taken(self, document: Document) -> list[str]:
        """The lines of the key, with the value that it gets.

        Raises:
            InputError: they could not stand elsewhere.
        """
        if self.target != self.file:
            _refuse_aliases(document, self.path)
        head = own_lines(document, self)
        if not isinstance(self.value, Keep):
            document = reparsed(document, text.set_scalar(document, self.path, self.value), self.path)
        return text.bare(text.lines_of(document, self.path, head))

    def arrived(self, document: Document, lines: list[str]) -> str:
        """The text of another file with these lines."""
        self._refuse_there(document)
        return self._arrived(document, lines)

    def _arrived(self, document: Document, lines: list[str]) -> str:
        return _inserted(document, self.to, self.after, lines)

    def _refuse_there(self, document: Document) -> None:
        if (there := text.find(document, self.to)) is not None:
            raise refusal(
                document, there.key, f"{dotted(self.path)} would move here, but the key is there already"
            )


Edit: TypeAlias = Change | Remove | Add | Move


def at(file: FilePath, edits: Iterable[Edit]) -> list[Edit]:
    """The edits, made in a file."""
    return [replace(edit, file=file) for edit in edits]


def own_lines(document: Document, edit: Remove | Move) -> int:
    """How many comment lines above a key leave with it."""
    return text.above(document, edit.path, goes=isinstance(edit, Remove)) if edit.above is None else edit.above


def place_of(document: Document, path: Path) -> Place:
    """The place of a key, or of the mapping that it would come into."""
    while path:
        if (entry := text.find(document, path)) is not None:
            return Place(document.path, *entry.key.span[2:])
        path = path[:-1]
    return Place(document.path)


def reparsed(document: Document, new: str, path: Path) -> Document:
    """The document that new text makes; an edit at a path made it.

    Raises:
        InputError: the text is no YAML.
    """
    try:
        return document.with_text(new)
    except InputError as error:
        raise unsafe(place_of(document, path), f"the new text would be wrong: {error.message}") from error


def _with_value(document: Document, path: Path, value: object) -> str:
    if not isinstance(value, list):
        return text.set_scalar(document, path, value)
    for number, item in enumerate(value):
        there = (*path, number)
        if not same(text.value_at(document, there), item):
            document = reparsed(document, text.set_scalar(document, there, item), path)
    return document.text


def _fits(document: Document, path: Path, value: object) -> bool:
    # Whether a value can take the place of another one scalar by scalar.
    return not isinstance(value, list) or text.items_at(document, path) == len(value)


def _inserted(document: Document, path: Path, after: str | None, lines: list[str]) -> str:
    if after is not None:
        return text.insert_after(document, (*path[:-1], after), lines)
    return text.append(document, path[:-1], lines)


def _put(data: Data, path: Path, value: object) -> None:
    here: Any = data
    for step in path[:-1]:
        if (here.get(step) if isinstance(here, dict) else here[step]) is None:
            here[step] = {}
        here = here[step]
    here[path[-1]] = value


def _parent(data: Data, path: Path) -> Data:
    for name in path[:-1]:
        data = data[name]
    return data


def _refuse_aliases(document: Document, path: Path) -> None:
    found = spot(document, path)
    for node in _nodes(found.node) if found else ():
        if isinstance(node, Alias):
            raise refusal(document, node, f"the value comes through the alias *{node.name}")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    below = [entry.value for entry in node.entries] if isinstance(node, Entries) else getattr(node, "items", ())
    for child in below:
        yield from _nodes(child)
