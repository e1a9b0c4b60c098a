"""Who extends whom: the presets below a project's root, seen as a graph."""

from __future__ import annotations

import os
from functools import cache
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.resolve.extends import bases
from schema.resolve.project import is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.resolve.workspace import Workspace

#: Folders that hold no presets of the project itself.
_SKIPPED = ("node_modules", "build", "dist", "__pycache__")


class Graph:
    """The files below a folder, each read once, and what each extends."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        files = _files(workspace, root)
        real = cache(os.path.realpath)  # many files extend the same few
        self._named = {file: frozenset(map(real, _bases(workspace, file))) for file in files}

    def direct(self, base: Path) -> list[Path]:
        """The files that extend a file directly, by whatever name."""
        real = os.path.realpath(base)
        return [file for file, named in self._named.items() if real in named]

    def dependents(self, base: Path) -> list[Path]:
        """The files that extend a file directly, or through others: the nearest first."""
        found: dict[Path, None] = {}
        wave = [base]
        while wave:
            wave = [file for each in wave for file in self.direct(each) if file not in found]
            found |= dict.fromkeys(wave)
        return list(found)


@lru_cache(maxsize=8)
def graph(workspace: Workspace, root: Path) -> Graph:
    """The graph of a folder, as the files are when it is first asked for."""
    return Graph(workspace, root)


def _files(workspace: Workspace, root: Path) -> Iterator[Path]:
    """The YAML files of a project, and those that are to come into it."""
    yield from yaml_files(root)
    yield from (path for path in workspace.overlay if path.is_relative_to(root) and not path.exists())


def yaml_files(root: Path, *, projects: bool = False, more: tuple[str, ...] = ()) -> Iterator[Path]:
    """Every YAML file below a folder, hidden and generated folders left out, in a stable order.

    Folders that are projects of their own count only where `projects` says so, because their presets may extend
    none out here; `more` are endings of other files that count, too.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _SKIPPED)
        names[:] = [name for name in names if projects or not is_root(Path(folder, name))]
        for name in sorted(files):
            # A pipe would keep whoever reads it waiting.
            if name.endswith((".yaml", ".yml", *more)) and os.path.isfile(Path(folder, name)):  # noqa: PTH113 - no errors
                yield Path(folder, name)


def _bases(workspace: Workspace, file: Path) -> list[Path]:
    try:
        if not workspace.may_extend(file):
            return []
        return [base for base, _ in bases(file, workspace.glance(file))]
    except InputError:  # not a preset, or broken: a call that names it reports it
        return []
