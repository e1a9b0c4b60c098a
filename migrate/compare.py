"""Errors before and after: what was wrong with a preset already does not stop its migration, what is new does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.findings import merged
from schema.place import Place
from schema.rules.another import ANOTHER_RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from schema.audit import Audit
    from schema.findings import Finding
    from schema.layouts.preset import Preset

#: A value of a wrong type is the same one on whichever side it stands.
_SAME_RULE = {"wrong-server-type": "wrong-type"}
_LINE = re.compile(r"\bline \d+")


class Old(NamedTuple):
    """A finding that a preset has before and after, as it reads in each."""

    before: Finding
    after: Finding


def compare(
    old: Preset, before: Sequence[Finding], new: Preset, after: Sequence[Finding]
) -> tuple[list[Old], list[Finding]]:
    """What a preset has before and after, and what it has only after.

    The same finding is the same rule on the same key with the same values; its key may have moved, and its line.
    All that a message says of the mode, of numbers and of files are its values.
    """
    had = {_identity(old, finding): finding for finding in reversed(before)}
    known = [(had.get(_identity(new, finding)), finding) for finding in after]
    return [Old(was, finding) for was, finding in known if was], [finding for was, finding in known if not was]


def refuse_new(before: Audit, after: Audit, old: Preset, new: Preset) -> list[Old]:
    """Refuses errors that a migration would bring, or bring other values into; returns those that were there.

    Raises:
        InputError: with every new error.
    """
    errors_after = [each for each in after.of(new) if each.is_error or each.rule == ANOTHER_RELEASE]
    # Of a result that has none it does not matter what was wrong before.
    known, fresh = compare(old, before.of(old), new, errors_after) if errors_after else ([], [])
    if errors := [finding for finding in fresh if finding.is_error]:
        raise InputError(
            "validate-config would refuse the migrated preset; correct this first (line numbers are those of the"
            " result):",
            Place(new.resolved.path),
            [f"  {error.place}: [{error.rule}] {error.message}" for error in errors],
        )
    return known


def reported(old: Iterable[Sequence[Old]], *, written: bool) -> list[Finding]:
    """What to tell of the presets of a call, each finding once, with its lines in the files as they are by now."""
    found = (each.after if written else each.before for findings in old for each in findings)
    return sorted(merged(found), key=lambda finding: (finding.place, finding.rule))


def _identity(preset: Preset, finding: Finding) -> tuple[object, ...]:
    rule = _SAME_RULE.get(finding.rule, finding.rule)
    message = _bare(preset, finding.message)
    if rule == "unknown-key":  # what it guesses follows the keys around it
        message = message.partition("; ")[0]
    # What another release lacks is reported once for each preset.
    return rule, finding.severity, "" if rule == ANOTHER_RELEASE else message


def _bare(preset: Preset, message: str) -> str:
    """A message without the places of its keys: a setting has one name, wherever it stands."""
    block = preset.server_path("x").removesuffix("x")
    sections = "|".join(map(re.escape, preset.top_level))
    places = rf"{re.escape(block)}|(?<![\w.])(?:{sections})\.(?=\w)" if sections else re.escape(block)
    return _LINE.sub("line", re.sub(places, "", message))
