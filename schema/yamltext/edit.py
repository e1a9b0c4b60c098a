"""Edits as data: what each does to the data of a file; `migrate.yamledit` makes them in the text.

Each names its file, so that a move from one file to another is the same edit as a move within one. A migration
is made of edits, and a finding that a program can fix carries them.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

Path: TypeAlias = tuple[str, ...]
Data: TypeAlias = dict[Any, Any]

#: The file of an edit that is not placed yet.
NOWHERE = FilePath()


@dataclass(frozen=True)
class Change:
    """A value becomes another one: a scalar; of a list as long as the new one the items; or a scalar a list."""

    path: Path
    value: object
    reason: str
    file: FilePath = NOWHERE

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        _parent(data[self.file], self.path)[self.path[-1]] = self.value


@dataclass(frozen=True)
class Rename:
    """A key gets another name; its place, its value and its comments stay.

    Attributes:
        path: the key.
        name: its new name.
        reason: why it is renamed.
        file: where it stands.
    """

    path: Path
    name: str
    reason: str
    file: FilePath = NOWHERE

    @property
    def to(self) -> Path:
        """The key afterwards."""
        return (*self.path[:-1], self.name)

    def on_data(self, data: Mapping[FilePath, Data]) -> None:
        """Makes the edit in plain data."""
        parent = _parent(data[self.file], self.path)
        renamed = {self.name if key == self.path[-1] else key: value for key, value in parent.items()}
        parent.clear()
        parent.update(renamed)


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


Edit: TypeAlias = Change | Rename | Remove | Add | Move


def at(file: FilePath, edits: Iterable[Edit]) -> list[Edit]:
    """The edits, made in a file."""
    return [replace(edit, file=file) for edit in edits]


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
