"""The layouts that presets come in; a rule knows only Preset, and rarely which of them it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import ExtendsError
from schema.errors import HalfError
from schema.layouts.flat import Flat
from schema.layouts.flat import is_learner_half
from schema.layouts.flat import is_server_half
from schema.layouts.flat import learner_half
from schema.layouts.flat import server_half
from schema.layouts.nested import Nested
from schema.place import Place
from schema.place import shown
from schema.resolve import Resolved
from schema.resolve import resolve
from schema.shelltext import is_script

if TYPE_CHECKING:
    from pathlib import Path

    from schema.layouts.preset import Preset
    from schema.resolve import Project
    from schema.resolve import Workspace
    from schema.resolve.tree import Branch


def read(workspace: Workspace, path: Path, project: Project) -> Preset:
    """Reads a preset in whatever layout it has; of a flat pair either half may be named.

    Raises:
        InputError: a file cannot be read or resolved, or a server's half has no learner's half beside it.
    """
    if is_script(path):
        from schema.layouts.script import read_script  # noqa: PLC0415 - only scripts need it

        return read_script(path, workspace.content(path), project)
    own = workspace.tree(path)
    learner = learner_half(path)
    if learner is not None and is_server_half(path, own):
        _refuse_alone(workspace, path, learner)
        return read(workspace, learner, project)
    if not is_learner_half(own):
        resolved = resolve(workspace, path, project.root)
        _refuse_flat_bases(workspace, own, resolved)
        return Nested(resolved, project)
    _refuse_to_extend(own)
    server = server_half(path)
    there = workspace.has(server)
    files = (path, server) if there else (path,)
    return Flat(Resolved(path, files, own), project, workspace.tree(server) if there else None)


def _refuse_to_extend(own: Branch) -> None:
    if (extends := own.find("extends")) is not None:
        what = "flat YAML cannot extend files: `swift rlhf` would take `extends` for an argument, and stop"
        raise ExtendsError(f"{what}; copy the other file's settings, or write sections", extends.place)


def _refuse_flat_bases(workspace: Workspace, own: Branch, resolved: Resolved) -> None:
    for file in resolved.files[:-1]:
        base = workspace.tree(file)
        if "rlhf_type" in base.children and is_learner_half(base):
            place = own.children["extends"].place
            what = f"extends {shown(file)}, which is flat YAML, and that no file can extend"
            raise ExtendsError(f"{what}; copy its settings, or write sections in both", place)


def _refuse_alone(workspace: Workspace, path: Path, learner: Path) -> None:
    if not workspace.has(learner):
        raise HalfError(f"is the server's half of {learner.name}, which is not beside it", Place(path))
    if not is_learner_half(workspace.tree(learner)):
        raise HalfError(f"would be the server's half of {learner.name}, which is not flat YAML", Place(path))
