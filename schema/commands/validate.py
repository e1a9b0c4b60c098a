"""Checks files and reports all findings of all of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from schema.check import NO_PRESETS
from schema.check import check
from schema.check import doubts
from schema.check import load
from schema.check import no_grpo
from schema.errors import InputError
from schema.exits import Exit
from schema.exits import say
from schema.exits import warn
from schema.report import REPORTERS
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.check import Options
    from schema.findings import Finding
    from schema.layouts.preset import Preset


def validate(files: Sequence[Path], options: Options, form: str) -> Exit:
    """Checks every file; findings go to standard output, unreadable input to standard error."""
    workspace = Workspace()
    found: list[Finding] = []
    presets: list[Preset] = []
    unreadable = False
    for file in files:
        try:
            preset = _preset(workspace, absolute(file))
            found += check(workspace, preset, options)
            presets.append(preset)
        except InputError as error:  # noqa: PERF203 - the other files are still checked
            say(error)
            unreadable = True
    for each in doubts(presets, options):
        warn(each)
    _report(list(dict.fromkeys(found)), form)
    if unreadable:
        return Exit.USAGE
    return Exit.FINDINGS if any(finding.is_error for finding in found) else Exit.OK


def _preset(workspace: Workspace, file: Path) -> Preset:
    """One file.

    Raises:
        InputError: it cannot be read, or is no GRPO preset; the latter is skipped when a hook passes it.
    """
    preset = load(workspace, file)
    if preset.kind in NO_PRESETS and not os.environ.get("PRE_COMMIT"):
        raise no_grpo(preset)
    return preset


def absolute(file: Path) -> Path:
    """An absolute path without `..`, links not followed: findings name files as the user does.

    Raises:
        InputError: it is relative, and the working directory is gone.
    """
    try:
        return Path(os.path.abspath(file))  # noqa: PTH100 - without `..`
    except FileNotFoundError as error:
        raise InputError("the working directory is gone; change into it again") from error


def _report(found: Sequence[Finding], form: str) -> None:
    output = REPORTERS[form](found)
    if output:
        print(output)
