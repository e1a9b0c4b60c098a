"""Which of the files that a pre-commit hook passes are to be migrated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from migrate.refusals import rolls_out
from schema.audit import Audit
from schema.check import Options
from schema.check import load
from schema.errors import InputError
from schema.hook import is_of_another_tool
from schema.resolve import Workspace
from schema.shelltext import is_script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def presets_of(paths: Sequence[Path], *, fixes: bool) -> list[Path]:
    """What a migration, or --fix, can do something about, and what should be a preset and cannot be read.

    A migration takes presets that generate with vLLM and their bases; --fix takes parts of presets too, no script.
    """
    workspace = Workspace()
    audit = Audit(workspace, Options())
    found: list[Path] = []
    read: set[str] = set()
    for path in paths:
        try:
            preset = load(workspace, path)
        except InputError:
            found += [] if is_of_another_tool(path, audit) else [path]
            continue
        if not (is_script(path) or audit.is_foreign(preset)) if fixes else rolls_out(preset):
            found.append(path)
            read |= set(map(os.path.realpath, preset.resolved.files))
    return [path for path in paths if path in found or os.path.realpath(path) in read]
