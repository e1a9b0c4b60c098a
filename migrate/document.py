"""Edits of YAML text that touch only the lines they must: each takes a document and returns new text.

Positions come from parse events (schema.yamltext); what stands between the edited places is copied, never
written anew. An edit that has no safe splice is refused, with its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.regions import colon_end
from migrate.regions import line_end
from migrate.regions import lines as lines_in
from migrate.regions import refusal
from migrate.regions import region
from migrate.scalars import scalar
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext.construct import is_merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Node

Path = tuple[str, ...]


class Lines(NamedTuple):
    """The lines of a key, with their newlines, and the column that its key starts in (from 0)."""

    lines: tuple[str, ...]
    column: int


def find(document: Document, path: Path) -> Entry | None:
    """The entry at a path, as the text has it; None if the text has no such key of its own.

    Raises:
        InputError: the way there leads through an alias or a merge key.
    """
    entry: Entry | None = None
    node: Node | None = document.root
    for name in path:
        if isinstance(node, Alias):
            raise refusal(document, node, f"the value comes through the alias *{node.name}")
        if not isinstance(node, Mapping):
            return None
        entry = _entry(document, node, name)
        if entry is None:
            return None
        node = entry.value
    return entry


def _entry(document: Document, mapping: Mapping, name: str) -> Entry | None:
    constructor = document.constructor()
    own = [entry for entry in mapping.entries if not is_merge(entry)]
    found = next((entry for entry in own if constructor.key(entry) == name), None)
    if found is None and any(constructor.key(entry) == name for entry in constructor.entries(mapping)):
        merge = next(entry for entry in mapping.entries if is_merge(entry))
        raise refusal(document, merge.key, f"the key {name} comes through a merge key (<<)")
    return found


def set_scalar(document: Document, path: Path, value: object) -> str:
    """The text with another scalar at a path; quotes are kept.

    Raises:
        InputError: there is no scalar, or it carries an anchor that other places refer to.
    """
    entry = _required(document, path)
    node = entry.value
    if isinstance(node, Alias) or node.anchor is not None:
        raise refusal(document, node, "the value is shared through an anchor")
    if not isinstance(node, Scalar) or node.style in ("|", ">"):
        raise refusal(document, node, "the value is no plain or quoted scalar")
    new, start, end = scalar(value, node.style), node.span.start, node.span.end
    if start == end:  # nothing but `key:`
        start = end = colon_end(document.text, entry)
        new = f" {new}"
    return _spliced(document.text, start, end, new)


def lines_of(document: Document, path: Path) -> Lines:
    """The lines that belong to a key: its head comments, its own lines, its foot comments."""
    entry = _editable(document, path)
    where = region(document, entry)
    lines = lines_in(document.text[where.head : where.end])
    return Lines(tuple(lines), entry.key.span.column - 1)


def comments_of(document: Document, path: Path) -> list[str]:
    """The comments that go or move with a key, without their indentation."""
    entry = _editable(document, path)
    where = region(document, entry)
    return comments(document, where.head, where.end)


def comments(document: Document, start: int = 0, end: int | None = None) -> list[str]:
    """Every comment of the text, or of a part of it, in order."""
    text = document.text
    end = len(text) if end is None else end
    spans = sorted(_scalar_spans(text, document.root))
    found, here = [], start
    while (here := text.find("#", here, end)) >= 0:
        inside = next((span for span in spans if span[0] <= here < span[1]), None)
        if inside is not None:
            here = inside[1]
        else:
            stop = line_end(text, here)
            found.append(text[here:stop].rstrip())
            here = stop
    return found


def _scalar_spans(text: str, node: Node | None) -> list[tuple[int, int]]:
    if node is None:
        return []
    if isinstance(node, Scalar | Alias):
        # The line of a block scalar's `|` or `>` may end in a comment.
        block = isinstance(node, Scalar) and node.style in ("|", ">")
        return [(line_end(text, node.span.start) if block else node.span.start, node.span.end)]
    if isinstance(node, Mapping):
        parts = [part for entry in node.entries for part in (entry.key, entry.value)]
    else:
        parts = list(node.items)
    return [span for part in parts for span in _scalar_spans(text, part)]


def delete(document: Document, path: Path) -> str:
    """The text without a key, its value and the comments that belong to it.

    A mapping that loses its only key becomes `{}`: as null it would hide what a base says.

    Raises:
        InputError: it is the only key of the file, or it has no lines of its own.
    """
    entry = _editable(document, path)
    where = region(document, entry)
    text = _spliced(document.text, where.head, where.end, "")
    if where.end == len(document.text) and not document.text.endswith("\n"):
        text = text.removesuffix("\n").removesuffix("\r")
    if _is_only(document, path):
        colon = colon_end(text, _required(document, path[:-1]))
        text = _spliced(text, colon, colon, " {}")
    return text


def insert_after(document: Document, path: Path, lines: Sequence[str]) -> str:
    """The text with lines (without indentation and newlines) after a key, at the key's indentation."""
    entry = _required(document, path)
    _refuse_flow(document, path)
    where = region(document, entry)
    return _inserted(document, where.end, entry.key.span.column - 1, lines)


def append(document: Document, path: Path, lines: Sequence[str]) -> str:
    """The text with lines at the end of the mapping at a path; missing mappings on the way are made.

    The lines are without indentation and newlines; deeper lines are indented relative to the first.

    Raises:
        InputError: what stands on the way is neither a block mapping nor empty.
    """
    depth = _existing(document, path)
    wrapped = _wrapped(path[depth:], lines, indent_step(document))
    entry = find(document, path[:depth])
    if entry is not None and _is_empty(entry.value):
        return _filled(document, entry, wrapped)
    mapping = _mapping(document, path[:depth])
    if mapping is None:
        return _inserted(document, len(document.text), 0, wrapped)
    last = mapping.entries[-1]
    return _inserted(document, region(document, last).end, last.key.span.column - 1, wrapped)


def _existing(document: Document, path: Path) -> int:
    return next((depth for depth in range(len(path)) if find(document, path[: depth + 1]) is None), len(path))


def _wrapped(names: Path, lines: Sequence[str], step: int) -> list[str]:
    wrapped = list(lines)
    for name in reversed(names):
        wrapped = [f"{name}:", *(f"{' ' * step}{line}" if line else line for line in wrapped)]
    return wrapped


def _is_empty(node: Node) -> bool:
    if isinstance(node, Mapping):
        return not node.entries and node.anchor is None
    return isinstance(node, Scalar) and node.value is None and node.anchor is None


def _filled(document: Document, entry: Entry, lines: Sequence[str]) -> str:
    # The value of the entry, if it is spelled out (null, {}), gives way to lines below its key.
    start, end = colon_end(document.text, entry), entry.value.span.end
    if "#" in document.text[start:end]:
        raise refusal(document, entry.value, "a comment stands inside the empty value")
    column = entry.key.span.column - 1 + indent_step(document)
    text = _inserted(document, region(document, entry).end, column, lines)
    return _spliced(text, start, max(start, end), "")


def _mapping(document: Document, path: Path) -> Mapping | None:
    node: Node | None = _required(document, path).value if path else document.root
    if node is None:
        return None
    if not isinstance(node, Mapping) or node.flow:
        raise refusal(document, node, f"{'.'.join(path) or 'the root'} is no block mapping")
    return node


def _inserted(document: Document, offset: int, column: int, lines: Sequence[str]) -> str:
    text, eol = document.text, newline(document)
    block = "".join(f"{' ' * column}{line}{eol}" if line else eol for line in lines)
    if offset == len(text) and text and not text.endswith("\n"):
        return text + eol + block.removesuffix(eol)  # a file without a final newline stays one
    return _spliced(text, offset, offset, block)


def _required(document: Document, path: Path) -> Entry:
    entry = find(document, path)
    if entry is None:
        raise KeyError(path)
    return entry


def _editable(document: Document, path: Path) -> Entry:
    entry = _required(document, path)
    _refuse_flow(document, path)
    if len(path) == 1 and _is_only(document, path):
        raise refusal(document, entry.key, "it is the only key of the file")
    return entry


def _is_only(document: Document, path: Path) -> bool:
    parent = _parent(document, path)
    return isinstance(parent, Mapping) and len(parent.entries) == 1


def _refuse_flow(document: Document, path: Path) -> None:
    parent = _parent(document, path)
    if isinstance(parent, Mapping) and parent.flow:
        raise refusal(document, parent, "it stands in a flow mapping ({...})")


def _parent(document: Document, path: Path) -> Node | None:
    return _required(document, path[:-1]).value if len(path) > 1 else document.root


def newline(document: Document) -> str:
    """The line ending of the file: that of its first line."""
    first = document.text.find("\n")
    return "\r\n" if first > 0 and document.text[first - 1] == "\r" else "\n"


def indent_step(document: Document) -> int:
    """How many spaces the file indents by: what its first nested mapping does."""
    root = document.root
    for entry in root.entries if root else ():
        value = entry.value
        if isinstance(value, Mapping) and value.entries and not value.flow:
            return value.entries[0].key.span.column - entry.key.span.column
    return 2


def _spliced(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]
