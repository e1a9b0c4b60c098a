"""The layouts that presets come in; a rule knows only Preset, and rarely which of them it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.layouts.nested import Nested
from schema.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from schema.preset import Preset
    from schema.resolve import Project
    from schema.resolve import Workspace


def read(workspace: Workspace, path: Path, project: Project) -> Preset:
    """Reads a preset in whatever layout it has.

    Raises:
        InputError: the file or one of its bases cannot be read or resolved.
    """
    return Nested(resolve(workspace, path, project.root), project)
