"""From named presets to proven new text, or to a refusal; nothing is written here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from migrate.edits import apply
from migrate.migration import Migration
from migrate.native import plan as native
from migrate.part import MODE
from migrate.part import Part
from migrate.part import below
from migrate.proof import ProofError
from migrate.proof import prove
from migrate.refusals import about
from migrate.refusals import implied_mode
from migrate.refusals import options
from migrate.refusals import refuse_contradicted
from migrate.refusals import refuse_inherited
from migrate.refusals import refuse_invalid
from migrate.refusals import refuse_large
from migrate.refusals import refuse_left_behind
from migrate.refusals import refuse_merged
from migrate.refusals import refuse_unfit
from migrate.refusals import refuse_unplanned
from migrate.refusals import rolls_out
from migrate.target import Bases
from migrate.to_colocate import ToColocate
from migrate.to_server import ToServer
from schema.check import context
from schema.check import load
from schema.layouts.native import Native
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.direction import Direction
    from migrate.target import Target
    from schema.preset import Preset


#: The ways of a migration, by the mode that it aims at.
DIRECTIONS: dict[str, type[Direction]] = {"server": ToServer, "colocate": ToColocate}


def plan(paths: Sequence[Path], target: Target) -> list[Migration]:
    """Plans the migration of presets to another mode, bases before the presets that extend them.

    Args:
        paths: absolute paths of the named presets.
        target: the mode, the split and the server's address.

    Raises:
        InputError: a file cannot be read or is no GRPO preset, or the migration is refused.
        ProofError: a defect: the new text is not what was planned.
    """
    target.check()
    workspace = Workspace()
    presets = {path: load(workspace, path) for path in _distinct(paths)}
    for preset in presets.values():
        refuse_large(workspace, preset)
    nested = [path for path, preset in presets.items() if not isinstance(preset, Native)]
    migrations = _migrations(workspace, nested, target)
    _prove(migrations, target)
    pairs = {preset.resolved.path: preset for preset in presets.values() if isinstance(preset, Native)}
    halves = [half for pair in pairs.values() for half in native.plan(workspace, pair, target)]
    return [*(one for one in migrations if one.changes or one.path in paths), *halves]


def _migrations(workspace: Workspace, paths: Sequence[Path], target: Target) -> list[Migration]:
    presets = {path: load(workspace, path) for path in paths}
    if target.bases is Bases.INCLUDE:
        bases = [base for preset in presets.values() for base in _bases(preset)]
        presets = {path: load(workspace, path) for path in _distinct([*bases, *paths])}
    for path, preset in presets.items():
        refuse_unfit(preset, target.to, is_base=any(_extends(other, path) for other in presets.values()))
    done: list[Migration] = []
    for preset in sorted(presets.values(), key=lambda preset: len(preset.resolved.files)):
        with about(preset.resolved.path):
            part = _part(workspace, presets, preset, target, done)
            old, edits = workspace.document(part.path), DIRECTIONS[target.to](part).edits()
            done.append(Migration(part.path, old, apply(old, edits), edits))
    return done


def _distinct(paths: Iterable[Path]) -> list[Path]:
    # A file that has several names is planned by the first.
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _bases(preset: Preset) -> list[Path]:
    return [file for file in preset.resolved.files if file != preset.resolved.path]


def _extends(preset: Preset, path: Path) -> bool:
    return os.path.realpath(path) in map(os.path.realpath, _bases(preset))


def _part(
    workspace: Workspace, presets: dict[Path, Preset], preset: Preset, target: Target, done: Sequence[Migration]
) -> Part:
    migrated = _after(workspace, done)
    after = load(migrated, preset.resolved.path)
    heirs = [other for other in presets.values() if _extends(other, preset.resolved.path)]
    mode = next((member.mode for member in (preset, *heirs) if member.mode is not None), None)
    says_mode = workspace.tree(preset.resolved.path).find(*MODE) is not None
    if target.bases is Bases.MASK and after.mode is not None:
        sets_mode = after.mode != target.to and not says_mode
    else:
        # A base may leave the mode to the presets that extend it, unless it is a whole preset itself; the server's
        # block brings the section `custom`.
        whole = {path for path, _ in after.missing()} <= {"custom"}
        sets_mode = rolls_out(after) and after.mode is None and (mode is None or whole)
    led = any(load(migrated, base).mode is not None for base in presets if _extends(preset, base))
    return Part(
        context(workspace, preset, options(target)),
        after,
        below(migrated, after),
        target,
        leaves=(mode or implied_mode(preset)) != target.to,
        leads=(says_mode or sets_mode or after.mode == target.to) and not led,
        sets_mode=sets_mode,
    )


def _after(workspace: Workspace, done: Iterable[Migration]) -> Workspace:
    return Workspace({**workspace.overlay, **{migration.path: migration.content for migration in done}})


def _prove(migrations: Sequence[Migration], target: Target) -> None:
    old = Workspace()
    new = _after(old, migrations)
    named = [migration.path for migration in migrations]
    for migration in migrations:
        prove(migration.old, migration.new, migration.edits)
        _check(load(old, migration.path), load(new, migration.path), migrations, new, target)
    changed = [migration.path for migration in migrations if migration.changes]
    refuse_left_behind(old, new, named, changed)
    if changed and any(migration.changes for migration in _migrations(new, named, target)):
        raise ProofError("migrating the result again would change it")


def _check(before: Preset, after: Preset, migrations: Sequence[Migration], new: Workspace, target: Target) -> None:
    changed = [migration.path for migration in migrations if migration.changes]
    named = [migration.path for migration in migrations]
    refuse_inherited(new, after, named, DIRECTIONS[target.to].left(before, after, below(new, after)))
    refuse_unplanned(before, after, [path for migration in migrations for path in migration.touched])
    if implied_mode(before) != implied_mode(after):
        refuse_merged(before, after)
    if not (rolls_out(after) and after.mode is not None):
        return
    refuse_contradicted(after, target)
    if _reads(after, changed) or target.rollout_gpus or target.train_gpus:
        refuse_invalid(new, after, options(target))


def _reads(preset: Preset, files: Sequence[Path]) -> bool:
    return not set(map(os.path.realpath, files)).isdisjoint(map(os.path.realpath, preset.resolved.files))
