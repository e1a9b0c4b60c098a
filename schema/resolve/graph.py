"""Who extends whom: the presets below a project's root, seen as a graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.resolve.extends import bases
from schema.resolve.project import is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.layouts.preset import Preset
    from schema.resolve.workspace import Workspace

#: Folders that hold no presets of the project itself.
_SKIPPED = ("node_modules", "build", "dist", "__pycache__")


def extended_by(workspace: Workspace, preset: Preset) -> list[Path]:
    """The files below the project's root that extend a preset's file directly."""
    path = preset.resolved.path
    files = _files(workspace, preset.project.root or path.parent)
    return [file for file in files if path in _bases(workspace, file)]


def _files(workspace: Workspace, root: Path) -> Iterator[Path]:
    """The YAML files of a project, and those that are to come into it."""
    yield from yaml_files(root)
    yield from (path for path in workspace.overlay if path.is_relative_to(root) and not path.exists())


def yaml_files(root: Path) -> Iterator[Path]:
    """Every YAML file of a project, hidden and generated folders left out, in a stable order.

    Folders that are projects of their own are left out too: none of their presets may extend one out here.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _SKIPPED)
        names[:] = [name for name in names if not is_root(Path(folder, name))]
        for name in sorted(files):
            # A pipe would keep whoever reads it waiting.
            if name.endswith((".yaml", ".yml")) and os.path.isfile(Path(folder, name)):  # noqa: PTH113 - no errors
                yield Path(folder, name)


def _bases(workspace: Workspace, file: Path) -> list[Path]:
    try:
        if not workspace.may_extend(file):
            return []
        return [base for base, _ in bases(file, workspace.tree(file))]
    except InputError:  # not a preset, or broken: a call that names it reports it
        return []


def dependents(workspace: Workspace, root: Path, base: Path) -> list[Path]:
    """The files below a folder that extend a file, by whatever name, directly or through others."""
    direct = {file: set(map(os.path.realpath, _bases(workspace, file))) for file in _files(workspace, root)}
    found: list[Path] = []
    wave = [base]
    while wave:
        real = set(map(os.path.realpath, wave))
        wave = [file for file, named in direct.items() if file not in found and not named.isdisjoint(real)]
        found += wave
    return found
