"""Proves that new text says exactly what was planned, before anything is written."""

from __future__ import annotations

import copy
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING

import yaml
from deepdiff import DeepDiff
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.error import YAMLError

from migrate.yamledit import document as text
from migrate.yamledit.fates import gone
from schema.errors import InputError
from schema.errors import InternalError
from schema.place import Place
from schema.yamltext.yaml12 import ESCAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.yamledit.edits import Data
    from migrate.yamledit.edits import Edit
    from schema.yamltext import Document


class ProofError(InternalError):
    """The new text is not what was planned: a defect of this tool, and nothing is written."""


def prove(old: Document, new: Document, edits: Sequence[Edit]) -> None:
    """Compares the new text with the plan: under PyYAML (YAML 1.1), under ruamel.yaml (1.2), and in comments.

    Raises:
        ProofError: data or comments differ from the plan.
    """
    if old is new:
        return
    same_data("PyYAML", _planned(yaml.safe_load(old.text), edits), yaml.safe_load(new.text))
    same_data("ruamel.yaml", _planned(yaml12(old), edits), yaml12(new))
    kept = Counter(text.comments(old)) - Counter(gone(old, edits))
    if kept != Counter(text.comments(new)):
        wrong = (kept - Counter(text.comments(new))) or (Counter(text.comments(new)) - kept)
        raise ProofError(f"comments would be lost, or come from nowhere: {sorted(wrong)}")


def _planned(data: Data | None, edits: Sequence[Edit]) -> Data:
    planned = copy.deepcopy(data or {})  # a file may hold nothing but comments
    for edit in edits:
        edit.on_data(planned)
    return planned


def same_data(reader: str, planned: Data, actual: Data) -> None:
    """Compares what was planned with what a reader makes of the new text.

    Raises:
        ProofError: they differ.
    """
    # Types count, so that 1, 1.0 and true are three values; what is no number equals itself. Items are compared by
    # place: to look for moved ones takes minutes.
    difference = DeepDiff(planned, actual, ignore_nan_inequality=True, zip_ordered_iterables=True)
    if difference:
        raise ProofError(f"read with {reader}, the new text differs from the plan: {difference}")


def yaml12(document: Document) -> Data:
    """What ruamel.yaml (YAML 1.2) makes of a file.

    Raises:
        InputError: it refuses the file.
    """
    try:
        loaded: Data = YAML(typ="safe", pure=True).load(StringIO(document.text))
    except (YAMLError, *ESCAPES) as error:
        reason, place = _refused(document, error)
        raise InputError(f"readers of YAML 1.2 refuse this file: {reason}", place) from error
    return loaded


def _refused(document: Document, error: Exception) -> tuple[str, Place]:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return str(error).split("\n", 1)[0], Place(document.path)
    mark = error.problem_mark
    return str(error.problem), Place(document.path, mark.line + 1, mark.column + 1)
