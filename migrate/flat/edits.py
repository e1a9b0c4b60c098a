"""What a migration does between the two files of a pair, and how values are written there."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from migrate.yamledit import document as text
from migrate.yamledit.edits import KEEP
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Keep
from migrate.yamledit.edits import Remove
from migrate.yamledit.lookup import dotted
from migrate.yamledit.lookup import required
from migrate.yamledit.regions import refusal
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.yamledit.edits import Data
    from migrate.yamledit.edits import Path
    from schema.yamltext import Document
    from schema.yamltext import Node


@dataclass(frozen=True)
class Depart(Remove):
    """A key goes to the other file, with its comments."""

    comments: tuple[str, ...] = ()

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        if tuple(text.comments_of(document, self.path, self.above)) != self.comments:
            reason = "a comment at the end of its line belongs to other keys, too"
            raise refusal(document, required(document, self.path).entry.key, reason)
        return super().on_text(document)


@dataclass(frozen=True)
class Arrive(Add):
    """A key comes from the other file, with its comments."""

    lines: tuple[str, ...] = ()
    kept: bool = True
    """Whether the value is what it was in the other file."""

    def with_value(self, value: object) -> Add:
        """The same for a reader that makes another value of the same text."""
        return Add(self.path, value, self.reason, self.after)

    def following(self, name: str) -> Arrive:
        """The same, after a key of its mapping."""
        return replace(self, after=name)

    def on_text(self, document: Document) -> str:
        """The text with the edit made."""
        if (there := text.find(document, self.path)) is not None:
            raise refusal(
                document, there.key, f"{dotted(self.path)} would come here, but the key is there already"
            )
        if self.after is not None:
            return text.insert_after(document, (*self.path[:-1], self.after), self.lines)
        return text.append(document, self.path[:-1], self.lines)


def sent(
    document: Document, path: Path, reason: str, value: object = KEEP, *, whole: bool = False
) -> tuple[Depart, Arrive]:
    """Both ends of a move to the other file; the value may change on the way.

    Args:
        document: the file that has the key.
        path: the key.
        reason: why it moves.
        value: the value that it gets.
        whole: whether nothing can stay above the key, since the file goes.

    Raises:
        InputError: the key has no lines that could stand elsewhere.
    """
    _refuse_aliases(document, path)
    above = len(text.block_above(document, path)) if whole else text.above(document, path)
    kept = isinstance(value, Keep)
    if not kept:
        document = parse(document.path, (document.bom + text.set_scalar(document, path, value)).encode())
    lines = tuple(text.bare(text.lines_of(document, path, above)))
    arrive = Arrive(path, value_at(document.data(), path), reason, lines=lines, kept=kept)
    return Depart(path, reason, above, kept, tuple(text.comments_of(document, path, above))), arrive


def _refuse_aliases(document: Document, path: Path) -> None:
    found = text.spot(document, path)
    for node in _nodes(found.node) if found else ():
        if isinstance(node, Alias):
            raise refusal(document, node, f"the value comes through the alias *{node.name}")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    below = [entry.value for entry in node.entries] if isinstance(node, Mapping) else getattr(node, "items", ())
    for child in below:
        yield from _nodes(child)


def value_at(data: Data, path: Path) -> object:
    """What plain data have at a path."""
    here: Any = data
    for step in path:
        here = here[step]
    found: object = here
    return found


@dataclass(frozen=True)
class Copy(Arrive):
    """A key comes that the other file keeps, or that neither had."""


def copied(path: Path, value: object, reason: str) -> Copy:
    """A key without comments."""
    try:
        line = f"{scalar(path[-1])}: {written(value)}"
    except TypeError as error:  # a date, or binary data
        raise InputError(f"{dotted(path)} cannot be copied to the other file: {error}; quote it first") from error
    return Copy(path, value, reason, lines=(line,))


def written(value: object) -> str:
    """A value on one line, mappings in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return scalar(value)
