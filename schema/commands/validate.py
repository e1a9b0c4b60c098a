"""Checks files and reports all findings of all of them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schema.audit import Audit
from schema.check import NO_PRESETS
from schema.check import doubts
from schema.check import load
from schema.check import no_grpo
from schema.colour import is_wanted
from schema.errors import InputError
from schema.exits import Exit
from schema.exits import say
from schema.exits import warn
from schema.findings import Finding
from schema.findings import Severity
from schema.findings import merged
from schema.report import report
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.check import Options
    from schema.layouts.preset import Preset


@dataclass(frozen=True)
class Form:
    """How findings are shown: a name of schema.report.FORMATS, and when in colour."""

    name: str = "text"
    colour: str = "auto"


class _Call:
    """One call: what was found so far, and in which presets."""

    def __init__(self, options: Options) -> None:
        self._workspace = Workspace()
        self._options = options
        self._audit = Audit(self._workspace, options)
        self.found: list[Finding] = []
        self.presets: list[Preset] = []
        self.unreadable = False

    def add(self, file: Path) -> None:
        """Checks one file; what keeps it from being checked is a finding of it."""
        try:
            preset = load(self._workspace, file)
            _refuse_foreign(preset)
            self.found += self._audit.of(preset)
            self.presets.append(preset)
        except InputError as error:
            self.unreadable = True
            if error.place is None:  # it is about the call, not about a file
                say(error)
            else:
                self.found.append(Finding(error.rule, Severity.ERROR, error.place, error.message, presets=(file,)))

    def findings(self) -> list[Finding]:
        """All findings, each once, and the silencers that nothing needed."""
        unused = [finding for preset in self.presets for finding in self._audit.unused(preset)]
        return merged([*self.found, *unused])


def validate(files: Sequence[Path], options: Options, form: Form) -> Exit:
    """Checks every file and prints what was found."""
    call = _Call(options)
    for file in files:
        call.add(absolute(file))
    for doubt in doubts(call.presets, options):
        warn(doubt)
    found = call.findings()
    if output := report(found, form.name, coloured=is_wanted(form.colour, sys.stdout)):
        print(output)
    if call.unreadable:
        return Exit.USAGE
    return Exit.FINDINGS if any(finding.is_error for finding in found) else Exit.OK


def _refuse_foreign(preset: Preset) -> None:
    """Refuses what is no GRPO preset; a hook passes files of all kinds, which are passed over.

    Raises:
        NoPresetError: it is none.
    """
    if preset.kind in NO_PRESETS and not os.environ.get("PRE_COMMIT"):
        raise no_grpo(preset)


def absolute(file: Path) -> Path:
    """An absolute path without `..`, links not followed: findings name files as the user does.

    Raises:
        InputError: it is relative, and the working directory is gone.
    """
    try:
        return Path(os.path.abspath(file))  # noqa: PTH100 - without `..`
    except FileNotFoundError as error:
        raise InputError("the working directory is gone; change into it again") from error
