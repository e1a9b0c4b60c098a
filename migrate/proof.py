"""Proves that new text says exactly what was planned, before anything is written."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from migrate.readers import needed
from schema.errors import InternalError
from schema.yamltext.comments import comments
from schema.yamltext.edit import Move
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.migration import Migration
    from migrate.yamledit.steps import Step
    from schema.yamltext.edit import Data


class ProofError(InternalError):
    """The new text is not what was planned: a defect of this tool, and nothing is written."""


def prove(migrations: Sequence[Migration], steps: Sequence[Step]) -> None:
    """Compares new texts with the plan: comments, and data, also as ruamel.yaml reads them where it may differ.

    The migrations are of every file that one of the steps is made in, or brings something to.

    Raises:
        ProofError: data or comments differ from the plan, or a file goes with something that no edit names.
    """
    if all(migration.old is migration.new and not migration.changes for migration in migrations):
        return
    for reader, read in needed(chain.from_iterable((each.old, each.new) for each in migrations)):
        planned = {migration.path: copy.deepcopy(read(migration.old)) for migration in migrations}
        for step in steps:
            step.edit.on_data(planned)
        for migration in migrations:
            if migration.goes:
                _refuse_left(migration.path, planned[migration.path])
            else:
                same_data(reader, planned[migration.path], read(migration.new))
    for migration in migrations:
        _prove_comments(migration)


def _refuse_left(path: Path, data: Data) -> None:
    left = [name for name, value in data.items() if value not in ({}, None)]
    if left:
        raise ProofError(f"{path} would be deleted with keys that no edit names: {left}")


def _prove_comments(migration: Migration) -> None:
    left = Counter(comment for step in migration.own for comment in step.comments)
    come = Counter(
        comment
        for step in migration.steps
        if isinstance(step.edit, Move) and step.edit.target == migration.path
        for comment in step.comments
    )
    old, new = Counter(comments(migration.old)), Counter(comments(migration.new))
    wrong = left - old if migration.goes else _differences(old - left + come, new)
    if wrong:
        raise ProofError(f"comments would be lost, or appear from nowhere: {sorted(wrong)}")


def _differences(first: Counter[str], second: Counter[str]) -> Counter[str]:
    return (first - second) + (second - first)


def same_data(reader: str, planned: Data, actual: Data) -> None:
    """Compares what was planned with what a reader makes of the new text.

    Raises:
        ProofError: they differ.
    """
    if not same(planned, actual) and (found := difference(planned, actual)):
        raise ProofError(f"read with {reader}, the new text differs from the plan: {found}")


def difference(planned: Data, actual: Data) -> object:
    """What tells two data apart; nothing where they are the same."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - 0.2 s, and only a defect waits for it

    # Types count, so that 1, 1.0 and true are three values; what is no number equals itself. Items are compared by
    # place: to look for moved ones takes minutes.
    return DeepDiff(planned, actual, ignore_nan_inequality=True, zip_ordered_iterables=True)
