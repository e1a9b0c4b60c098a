"""The edits that a migration is made of: what each does to the data, and what it does to the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from migrate import document as text
from migrate.scalars import scalar
from schema.yamltext import parse

if TYPE_CHECKING:
    from schema.yamltext import Document

Path: TypeAlias = tuple[str, ...]
Data: TypeAlias = dict[Any, Any]


@dataclass(frozen=True)
class Change:
    """A scalar gets another value."""

    path: Path
    value: object
    reason: str

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        _parent(data, self.path)[self.path[-1]] = self.value

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        return text.set_scalar(document, self.path, self.value)


@dataclass(frozen=True)
class Remove:
    """A key goes, with the comments that belong to it."""

    path: Path
    reason: str

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        del _parent(data, self.path)[self.path[-1]]

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        return text.delete(document, self.path)


@dataclass(frozen=True)
class Add:
    """A key comes: after another one of its mapping, or at the mapping's end; missing mappings are made."""

    path: Path
    value: object
    reason: str
    after: str | None = None

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        for name in self.path[:-1]:
            data = data.setdefault(name, {})
        data[self.path[-1]] = self.value

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        lines = [f"{self.path[-1]}: {scalar(self.value)}"]
        if self.after is not None:
            return text.insert_after(document, (*self.path[:-1], self.after), lines)
        return text.append(document, self.path[:-1], lines)


class Keep:
    """Stands for the value that a moved key already has."""


KEEP = Keep()


@dataclass(frozen=True)
class Move:
    """A key goes to the end of another mapping, with its comments; its value may change on the way."""

    path: Path
    to: Path
    reason: str
    value: object = KEEP

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        old = _parent(data, self.path).pop(self.path[-1])
        new = old if isinstance(self.value, Keep) else self.value
        Add(self.to, new, self.reason).on_data(data)

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        document = self._with_value(document)
        lines, column = text.lines_of(document, self.path)
        bare = [_dedented(line.rstrip("\r\n"), column) for line in lines]
        rest = _again(document, text.delete(document, self.path))
        return text.append(rest, self.to[:-1], bare)

    def _with_value(self, document: Document) -> Document:
        if isinstance(self.value, Keep):
            return document
        return _again(document, text.set_scalar(document, self.path, self.value))


Edit: TypeAlias = Change | Remove | Add | Move


def apply(document: Document, edits: list[Edit]) -> Document:
    """The document with all edits made, one after the other.

    Raises:
        InputError: an edit has no safe splice.
    """
    for edit in edits:
        document = _again(document, edit.on_text(document))
    return document


def _again(document: Document, new: str) -> Document:
    return parse(document.path, (document.bom + new).encode())


def _parent(data: Data, path: Path) -> Data:
    for name in path[:-1]:
        data = data[name]
    return data


def _dedented(line: str, column: int) -> str:
    return line[column:] if not line[:column].strip() else line.lstrip()
