"""Proves that the new text of a pair says exactly what was planned, before anything is written."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from migrate.flat.edits import Arrive
from migrate.flat.edits import Copy
from migrate.flat.edits import Depart
from migrate.flat.edits import value_at
from migrate.proof import ProofError
from migrate.proof import same_data
from migrate.proof import yaml12
from migrate.yamledit import document as text
from schema.layouts.flat import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.flat.half import Half
    from migrate.yamledit.edits import Data
    from schema.yamltext import Document


def prove(halves: Sequence[Half]) -> None:
    """Compares the new texts with the plan: under PyYAML (YAML 1.1), under ruamel.yaml (1.2), and in comments.

    Raises:
        ProofError: data or comments differ from the plan, or a file goes with something that no edit names.
    """
    for reader, read in (("PyYAML", _yaml11), ("ruamel.yaml", yaml12)):
        for half, planned in zip(halves, _planned(halves, read), strict=True):
            if half.goes:
                _refuse_left(half)
            else:
                same_data(reader, planned, read(half.new) or {})
    _prove_comments(halves)


def _yaml11(document: Document) -> Data:
    loaded: Data = yaml.safe_load(document.text)
    return loaded


def _planned(halves: Sequence[Half], read: Callable[[Document], Data]) -> list[Data]:
    # What one reader makes of a value, it is to make of it in the other file.
    old = [copy.deepcopy(read(half.old) or {}) for half in halves]
    sent = {
        edit.path: value_at(data, edit.path)
        for half, data in zip(halves, old, strict=True)
        for edit in half.edits
        if isinstance(edit, Depart)
    }
    for half, data in zip(halves, old, strict=True):
        for edit in half.edits:
            if isinstance(edit, Arrive) and not isinstance(edit, Copy) and edit.kept:
                edit.with_value(sent[edit.path]).on_data(data)
            else:
                edit.on_data(data)
    return old


def _refuse_left(half: Half) -> None:
    named = {edit.path for edit in half.edits}
    left = [path for path in _paths(half.old.data()) if path not in named]
    if left:
        raise ProofError(f"{half.path} would go with what no edit names: {left}")


def _paths(data: Data) -> Iterator[tuple[str, ...]]:
    for name, value in data.items():
        if name == ENVIRONMENT and isinstance(value, dict):
            yield from ((name, variable) for variable in value)
        else:
            yield (name,)


def _prove_comments(halves: Sequence[Half]) -> None:
    kept = sum((Counter(_kept(half)) for half in halves), Counter())
    new = sum((Counter(text.comments(half.new)) for half in halves), Counter())
    if kept != new:
        wrong = sorted(((kept - new) or (new - kept)).elements())
        raise ProofError(f"comments would be lost, or come from nowhere: {wrong}")


def _kept(half: Half) -> Counter[str]:
    # What of a file's comments is to stand in either file afterwards.
    moved, deleted = Counter[str](), Counter[str]()
    for edit, lines in half.taken():
        (moved if isinstance(edit, Depart) else deleted).update(lines)
    if half.goes:
        return moved
    heading = [] if half.there else text.comments(half.new)[:1]
    return Counter(text.comments(half.old)) - deleted + Counter(heading)
