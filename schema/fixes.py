"""The edits with which `migrate-config --fix` fixes a finding; their classes wait for the first one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from schema.near import is_slip
from schema.place import Place
from schema.swift import argument
from schema.swift.renamed import EXACT
from schema.yamltext import Alias
from schema.yamltext import Mapping
from schema.yamltext import Scalar

if TYPE_CHECKING:
    from collections.abc import Collection

    from schema.catalogue import Field
    from schema.context import Context
    from schema.yamltext import Document
    from schema.yamltext import Entry
    from schema.yamltext import Node
    from schema.yamltext.edit import Edit
    from schema.yamltext.edit import Path

#: A text that is one item.
_ONE = r"[^\s,;]+"
#: What fixes a finding: nothing, or edits of one file.
Edits = tuple["Edit", ...]


def rename(context: Context, key: Place, path: Path, name: str, known: Collection[str]) -> Edits:
    """Renames a key, if the new name is what ms-swift calls it now, or the only one that it can be a slip for."""
    from schema.yamltext.edit import Rename

    old, edit = path[-1], Rename(path, name, f"nothing reads {path[-1]}")
    if EXACT.get(old) == name:
        edit = replace(edit, reason="its name in this release")
    elif not is_slip(old, name, known):
        return ()
    is_taken = context.preset.layout != "script" and _entry(context.workspace.document(key.file), edit.to)
    return () if is_taken else _placed(context, key, edit)


def remove(context: Context, key: Place, path: Path, reason: str) -> Edits:
    """Removes a key that has no effect."""
    from schema.yamltext.edit import Remove

    return _placed(context, key, Remove(path, reason))


def make_list(context: Context, key: Place, path: Path, field: Field | None, value: object) -> Edits:
    """Makes a list of a value that only has to be an item of one."""
    if field is None or not field.many or isinstance(value, list | dict):
        return ()
    if isinstance(value, str) and not re.fullmatch(_ONE, value):  # it may mean several
        return ()
    items = argument.parsed(field, value)
    if not isinstance(items, list):
        return ()
    from schema.yamltext.edit import Change

    return _placed(context, key, Change(path, items, f"{path[-1]} takes a list"))


def _placed(context: Context, key: Place, edit: Edit) -> Edits:
    """The edit in the file of its key; none where the text has no such key of its own, or is a script's."""
    if context.preset.layout == "script":
        return ()
    entry = _entry(context.workspace.document(key.file), edit.path)
    is_own = entry is not None and Place(key.file, *entry.key.span[2:]) == key and not _is_shared(entry.key)
    return (replace(edit, file=key.file),) if is_own else ()


def _entry(document: Document, path: Path) -> Entry | None:
    """The key at a path; None if an alias or a merge key brings it."""
    node: Node | None = document.root
    found = None
    for step in path:
        entries = node.entries if isinstance(node, Mapping) else ()
        found = next((entry for entry in entries if _is(entry.key, step)), None)
        node = found.value if found else None
    return found


def _is_shared(key: Node) -> bool:
    return isinstance(key, Alias) or key.anchor is not None


def _is(key: Node, name: str) -> bool:
    return isinstance(key, Scalar) and key.value == name
