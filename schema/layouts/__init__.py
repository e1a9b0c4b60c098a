"""The layouts that presets come in; a rule knows only Preset, and rarely which of them it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import HalfError
from schema.layouts.flat import Flat
from schema.layouts.flat import is_learner_half
from schema.layouts.flat import is_server_half
from schema.layouts.flat import learner_half
from schema.layouts.flat import server_half
from schema.layouts.nested import Nested
from schema.layouts.script import read_script
from schema.place import Place
from schema.resolve import Resolved
from schema.resolve import resolve
from schema.shelltext import is_script

if TYPE_CHECKING:
    from pathlib import Path

    from schema.layouts.preset import Preset
    from schema.resolve import Project
    from schema.resolve import Workspace


def read(workspace: Workspace, path: Path, project: Project) -> Preset:
    """Reads a preset in whatever layout it has; of a flat pair either half may be named.

    Raises:
        InputError: a file cannot be read or resolved, or a server's half has no learner's half beside it.
    """
    if is_script(path):
        return read_script(path, workspace.content(path), project)
    own = workspace.tree(path)
    learner = learner_half(path)
    if learner is not None and is_server_half(path, own):
        _refuse_alone(workspace, path, learner)
        return read(workspace, learner, project)
    if not is_learner_half(own):
        return Nested(resolve(workspace, path, project.root), project)
    server = server_half(path)
    there = workspace.has(server)
    files = (path, server) if there else (path,)
    return Flat(Resolved(path, files, own), project, workspace.tree(server) if there else None)


def _refuse_alone(workspace: Workspace, path: Path, learner: Path) -> None:
    if not workspace.has(learner):
        raise HalfError(f"is the server's half of {learner.name}, which is not beside it", Place(path))
    if not is_learner_half(workspace.tree(learner)):
        raise HalfError(f"would be the server's half of {learner.name}, which is not flat YAML", Place(path))
