"""What an edit does to the text of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit import document as text
from migrate.yamledit.insertion import append
from migrate.yamledit.lookup import dotted
from migrate.yamledit.lookup import find
from migrate.yamledit.lookup import required
from migrate.yamledit.lookup import spot
from migrate.yamledit.regions import refusal
from migrate.yamledit.regions import unsafe
from migrate.yamledit.scalars import flow
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.place import Place
from schema.yamltext import Alias
from schema.yamltext import Mapping as Entries
from schema.yamltext import Scalar
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Keep
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.edit import Rename
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from schema.yamltext import Document
    from schema.yamltext import Node
    from schema.yamltext.edit import Edit
    from schema.yamltext.edit import Path


def spliced(edit: Edit, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
    """The new text of each file that an edit changes.

    Raises:
        InputError: the edit has no safe splice.
    """
    document = files[edit.file]
    if isinstance(edit, Move):
        return _moved(edit, files)
    if isinstance(edit, Remove):
        return {edit.file: text.delete(document, edit.path, own_lines(document, edit))}
    if isinstance(edit, Rename):
        return {edit.file: _renamed(edit, document)}
    return {edit.file: _added(document, edit) if isinstance(edit, Add) else _valued(document, edit)}


def _added(document: Document, add: Add) -> str:
    if find(document, add.path) is not None:
        return _valued(document, add)
    lines = [f"{scalar(add.path[-1])}: {_source(document, add)}"]
    return _inserted(document, add.path, add.after, lines)


def _valued(document: Document, edit: Add | Change) -> str:
    """The text with another value at a key that is there."""
    if isinstance(edit.value, dict) or not _fits(document, edit.path, edit.value):
        return text.set_source(document, edit.path, _source(document, edit))
    return _with_value(document, edit.path, edit.value)


def _source(document: Document, edit: Add | Change) -> str:
    try:
        return flow(edit.value)
    except TypeError as error:
        why = f"{dotted(edit.path)} would be {edit.value!r}, which has no plain text"
        raise unsafe(Place(document.path), why) from error


def _renamed(rename: Rename, document: Document) -> str:
    entry = required(document, rename.path).entry
    _refuse_there(document, rename)
    if isinstance(entry.key, Alias) or entry.key.anchor is not None:
        raise refusal(document, entry.key, "the key comes through an alias, or carries an anchor")
    start, end = entry.key.span[:2]
    style = entry.key.style if isinstance(entry.key, Scalar) and entry.key.style in ("'", '"') else None
    return document.text[:start] + scalar(rename.name, style) + document.text[end:]


def _moved(move: Move, files: Mapping[FilePath, Document]) -> dict[FilePath, str]:
    document = files[move.file]
    lines, rest = taken(move, document), text.delete(document, move.path, own_lines(document, move))
    if move.target == move.file:
        _refuse_there(document, move)
        return {move.file: _inserted(reparsed(document, rest, move.path), move.to, move.after, lines)}
    return {move.file: rest, move.target: arrived(move, files[move.target], lines)}


def taken(move: Move, document: Document) -> list[str]:
    """The lines of a key that moves, with the value that it gets.

    Raises:
        InputError: they could not stand elsewhere.
    """
    if move.target != move.file:
        _refuse_aliases(document, move.path)
    head = own_lines(document, move)
    if not isinstance(move.value, Keep):
        document = reparsed(document, text.set_scalar(document, move.path, move.value), move.path)
    return text.bare(text.lines_of(document, move.path, head))


def arrived(move: Move, document: Document, lines: list[str]) -> str:
    """The text of another file with the lines of a key that moves there."""
    _refuse_there(document, move)
    return _inserted(document, move.to, move.after, lines)


def _refuse_there(document: Document, edit: Move | Rename) -> None:
    if (there := find(document, edit.to)) is not None:
        how = "move here" if isinstance(edit, Move) else "get this name"
        raise refusal(document, there.key, f"{dotted(edit.path)} would {how}, but the key is there already")


def own_lines(document: Document, edit: Remove | Move) -> int:
    """How many comment lines above a key leave with it."""
    return text.above(document, edit.path, goes=isinstance(edit, Remove)) if edit.above is None else edit.above


def place_of(document: Document, path: Path) -> Place:
    """The place of a key, or of the mapping that it would come into."""
    while path:
        if (entry := find(document, path)) is not None:
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
    return append(document, path[:-1], lines)


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
