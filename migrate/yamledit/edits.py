"""The edits that a migration is made of: what each does to the data, and what it does to the text."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from migrate.yamledit import document as text
from migrate.yamledit.lookup import dotted
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import unsafe
from migrate.yamledit.scalars import flow
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.place import Place
from schema.yamltext import parse
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.yamltext import Document

#: Line breaks that YAML 1.1 knows beside LF and CRLF; YAML 1.2, and line by line editing, do not.
_ODD_BREAK = re.compile(r"\r(?!\n)|[\x85\u2028\u2029]")

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
    """A key goes, with the comments that speak of it.

    Attributes:
        path: the key.
        reason: why it goes.
        above: how many comment lines above it are its own; None until `settled` has asked.
        keeps: whether its value is what it was, elsewhere.
    """

    path: Path
    reason: str
    above: int | None = None
    keeps: bool = False

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        del _parent(data, self.path)[self.path[-1]]

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        return text.delete(document, self.path, own_lines(document, self))


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

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        here: Any = data
        for step in self.path[:-1]:
            if (here.get(step) if isinstance(here, dict) else here[step]) is None:
                here[step] = {}
            here = here[step]
        here[self.path[-1]] = self.value

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        try:
            source = flow(self.value)
        except TypeError as error:
            raise unsafe(Place(document.path), f"{dotted(self.path)} would be {self.value!r}") from error
        if text.find(document, self.path) is not None:
            if isinstance(self.value, list) and text.is_list_of_one(document, self.path):
                return text.set_scalar(document, (*self.path, 0), self.value[0])
            if isinstance(self.value, dict | list):
                return text.set_source(document, self.path, source)
            return text.set_scalar(document, self.path, self.value)
        lines = [f"{scalar(self.path[-1])}: {source}"]
        if self.after is not None:
            return text.insert_after(document, (*self.path[:-1], self.after), lines)
        return text.append(document, self.path[:-1], lines)


class Keep:
    """Stands for the value that a moved key already has."""


KEEP = Keep()


@dataclass(frozen=True)
class Move:
    """A key goes to another mapping, with its comments: after a key of it, or to its end.

    Its value may change on the way; `above` is as in `Remove`.
    """

    path: Path
    to: Path
    reason: str
    value: object = KEEP
    after: str | None = None
    above: int | None = None

    def on_data(self, data: Data) -> None:
        """Makes the edit in plain data."""
        old = _parent(data, self.path).pop(self.path[-1])
        new = old if isinstance(self.value, Keep) else self.value
        Add(self.to, new, self.reason).on_data(data)

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        if (there := text.find(document, self.to)) is not None:
            raise refusal(
                document, there.key, f"{dotted(self.path)} would move here, but the key is there already"
            )
        head = own_lines(document, self)
        document = self._with_value(document)
        lines = text.bare(text.lines_of(document, self.path, head))
        rest = reparsed(document, text.delete(document, self.path, head), self.path)
        if self.after is not None:
            return text.insert_after(rest, (*self.to[:-1], self.after), lines)
        return text.append(rest, self.to[:-1], lines)

    def _with_value(self, document: Document) -> Document:
        if isinstance(self.value, Keep):
            return document
        return reparsed(document, text.set_scalar(document, self.path, self.value), self.path)


Edit: TypeAlias = Change | Remove | Add | Move


def own_lines(document: Document, edit: Remove | Move) -> int:
    """How many comment lines above a key leave with it."""
    return text.above(document, edit.path, goes=isinstance(edit, Remove)) if edit.above is None else edit.above


def settled(document: Document, edits: Sequence[Edit]) -> list[Edit]:
    """The edits, each with the comment lines that leave with its key, before any edit is made.

    Afterwards what stayed above one key would stand above the next.
    """
    emptied = [edit.path for edit in edits if isinstance(edit, Prune)]
    return [_settled(document, edit, emptied) for edit in edits]


def _settled(document: Document, edit: Edit, emptied: Sequence[Path]) -> Edit:
    if not isinstance(edit, Remove | Move) or edit.above is not None or not _stands(document, edit.path):
        return edit
    if isinstance(edit, Move) and is_below(edit.path, emptied):  # nothing can stay there
        return replace(edit, above=len(text.block_above(document, edit.path)))
    return replace(edit, above=own_lines(document, edit))


def is_below(path: Path, others: Sequence[Path]) -> bool:
    """Whether a key stands inside one of other keys."""
    return any(path != other and path[: len(other)] == other for other in others)


def _stands(document: Document, path: Path) -> bool:
    """Whether a key is in the text and can be cut out; where it cannot, making the edit says so."""
    with suppress(InputError):
        if text.find(document, path) is not None:
            text.block_above(document, path)
            return True
    return False


def apply(document: Document, edits: list[Edit]) -> Document:
    """The document with all edits made, one after the other.

    Raises:
        InputError: an edit has no safe splice.
    """
    if edits and (odd := _ODD_BREAK.search(document.text)):
        line = document.text.count("\n", 0, odd.start()) + 1
        raise unsafe(Place(document.path, line), f"the line ends in {odd[0]!a}, neither in LF nor in CRLF")
    new = document
    for edit in settled(document, edits):
        new = _made(document, new, edit)
    return new


def _made(original: Document, document: Document, edit: Edit) -> Document:
    try:
        return _applied(document, edit)
    except InputError as error:
        raise _placed(original, edit, error) from error


def _placed(original: Document, edit: Edit, error: InputError) -> InputError:
    # The same refusal, with its place in the file as it is.
    try:
        _applied(original, edit)
    except InputError as refused:
        if refused.message == error.message:
            return refused
    except KeyError:  # it follows a key that an earlier edit adds
        return error
    return InputError(error.message, _place(original, edit.path))


def _place(document: Document, path: Path) -> Place:
    # Of a key, or of the mapping that it would come into.
    while path:
        if (entry := text.find(document, path)) is not None:
            return Place(document.path, *entry.key.span[2:])
        path = path[:-1]
    return Place(document.path)


def _applied(document: Document, edit: Edit) -> Document:
    after = reparsed(document, edit.on_text(document), edit.path)
    planned = document.data()
    edit.on_data(planned)
    if not equal(planned, after.data()):
        reason = f"with {dotted(edit.path)} changed, another value would be read differently"
        raise unsafe(_place(document, edit.path), reason)
    return after


def reparsed(document: Document, new: str, path: Path) -> Document:
    """The document that new text makes; an edit at a path made it.

    Raises:
        InputError: the text is no YAML.
    """
    try:
        return parse(document.path, (document.bom + new).encode())
    except InputError as error:
        raise unsafe(_place(document, path), f"the new text would be wrong: {error.message}") from error


def equal(left: object, right: object) -> bool:
    """Whether plain data is the same in values and types; the order of keys does not count."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return same(left, right)


def _parent(data: Data, path: Path) -> Data:
    for name in path[:-1]:
        data = data[name]
    return data
