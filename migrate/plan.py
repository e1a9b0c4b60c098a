"""From named presets to proven new text, or to a refusal; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.edits import apply
from migrate.proof import ProofError
from migrate.proof import prove
from migrate.refusals import refuse_inherited
from migrate.refusals import refuse_invalid
from migrate.refusals import refuse_left_behind
from migrate.refusals import refuse_unfit
from migrate.report import Item
from migrate.report import items
from migrate.to_server import ToServer
from schema.check import Options
from schema.check import context
from schema.check import load
from schema.resolve import Workspace
from schema.split import Gpus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.edits import Edit
    from migrate.target import Target
    from schema.preset import Preset
    from schema.yamltext import Document


@dataclass(frozen=True)
class Migration:
    """A file before and after, and what happens in between; no edits if it is right already."""

    path: Path
    old: Document
    new: Document
    edits: list[Edit]

    @property
    def changes(self) -> bool:
        """Whether the text changes."""
        return bool(self.edits)

    @property
    def content(self) -> bytes:
        """The bytes of the new file."""
        return (self.new.bom + self.new.text).encode()

    def items(self) -> list[Item]:
        """The report of this file."""
        return items(self.path, self.old, self.new, self.edits)


def plan(paths: Sequence[Path], target: Target) -> list[Migration]:
    """Plans the migration of presets to server mode, bases before the presets that extend them.

    Args:
        paths: absolute paths of the named presets.
        target: the split and the server's address.

    Raises:
        InputError: a file cannot be read or is no GRPO preset, or the migration is refused.
        ProofError: a defect: the new text is not what was planned.
    """
    target.check()
    migrations = _migrations(Workspace(), paths, target)
    if any(migration.changes for migration in migrations):
        _prove(migrations, target)
    return migrations


def _migrations(workspace: Workspace, paths: Sequence[Path], target: Target) -> list[Migration]:
    presets = {path: load(workspace, path) for path in dict.fromkeys(paths)}
    for preset in presets.values():
        refuse_unfit(preset)
    ordered = sorted(presets, key=lambda path: len(presets[path].resolved.files))
    return [_migration(workspace, presets, path, target) for path in ordered]


def _migration(workspace: Workspace, presets: dict[Path, Preset], path: Path, target: Target) -> Migration:
    preset = presets[path]
    bases = [file for file in preset.resolved.files if file in presets and file != path]
    inherits = any(workspace.tree(base).find("rlhf", "vllm_mode") is not None for base in bases)
    about = context(workspace, preset, _options(preset, target))
    edits = ToServer(about, workspace.tree(path), target, inherits=inherits).edits()
    old = workspace.document(path)
    return Migration(path, old, apply(old, edits), edits)


def _options(preset: Preset, target: Target) -> Options:
    rollout = Gpus(target.rollout_gpus) if target.rollout_gpus else None
    return Options(rollout, Gpus(target.learners(preset.project)))


def _prove(migrations: Sequence[Migration], target: Target) -> None:
    for migration in migrations:
        prove(migration.old, migration.new, migration.edits)
    after = Workspace({migration.path: migration.content for migration in migrations})
    named = [migration.path for migration in migrations]
    for path in named:
        preset = load(after, path)
        refuse_inherited(after, preset, named)
        refuse_invalid(after, preset, _options(preset, target))
    refuse_left_behind(Workspace(), after, named)
    if any(migration.changes for migration in _migrations(after, named, target)):
        raise ProofError("migrating the result again would change it")
