"""What becomes of comments whose key leaves: they go or move with it, or stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit import document as text
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Prune
from migrate.yamledit.edits import Remove
from migrate.yamledit.edits import is_below
from migrate.yamledit.edits import own_lines
from migrate.yamledit.edits import reparsed
from migrate.yamledit.edits import settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.edits import Edit
    from migrate.yamledit.edits import Path
    from schema.yamltext import Document


def taken(document: Document, edits: Sequence[Edit]) -> list[list[str]]:
    """The comments that leave with the key of each edit where those before it are made.

    An entry may get its line to itself by then.
    """
    edits = settled(document, edits)
    found: list[list[str]] = [[] for _ in edits]
    last = max((number for number, edit in enumerate(edits) if isinstance(edit, Remove | Move)), default=-1)
    for number, edit in enumerate(edits[: last + 1]):
        if isinstance(edit, Remove | Move):
            found[number] = text.comments_of(document, edit.path, own_lines(document, edit))
        if number < last:
            document = reparsed(document, edit.on_text(document), edit.path)
    return found


def gone(document: Document, edits: Sequence[Edit]) -> list[str]:
    """The comments that all edits together delete."""
    each = zip(edits, taken(document, edits), strict=True)
    return [comment for edit, comments in each if isinstance(edit, Remove) for comment in comments]


def stayed(document: Document, edits: Sequence[Edit]) -> list[list[str]]:
    """The comments directly above the key of each edit that stay, although it leaves."""
    emptied = [edit.path for edit in edits if isinstance(edit, Prune)]
    return [_stayed(document, edit, emptied) for edit in settled(document, edits)]


def _stayed(document: Document, edit: Edit, emptied: Sequence[Path]) -> list[str]:
    if not isinstance(edit, Remove | Move) or edit.above is None or is_below(edit.path, emptied):
        return []
    block = text.block_above(document, edit.path)
    return block[: len(block) - edit.above]
