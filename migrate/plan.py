"""From named presets to proven new text, or to a refusal; nothing is written here."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate import refusals
from migrate.compare import refuse_new
from migrate.flat import directions as flat
from migrate.flat.pair import Pair
from migrate.flat.pair import refuse_odd_keys
from migrate.nested import directions as nested
from migrate.nested.part import Part
from migrate.nested.part import below
from migrate.nested.part import is_whole
from migrate.proof import ProofError
from migrate.proof import prove
from migrate.target import Bases
from migrate.target import other_splits
from schema import check
from schema.audit import Audit
from schema.layouts.flat import Flat
from schema.layouts.flat import server_half
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.compare import Old
    from migrate.migration import Group
    from migrate.migration import Migration
    from migrate.script.rest import Rest
    from migrate.target import Target
    from migrate.twins import Twin
    from schema.layouts.preset import Preset


_OR_MASK = (
    "name every preset that extends this file in the same call, or leave this file out and pass --mask-bases for"
    " those that should change"
)


class Plan(NamedTuple):
    """What a call would do.

    Attributes:
        migrations: each file of the call.
        old: by preset, the errors that it has before and after.
        warnings: what else the caller should know.
        to: the mode that the presets get; None where they are only fixed.
        twins: by its path, each file that is the copy of another one; the originals stay.
        scripts: by its path, each script that a pair is made of, and what stays in it.
    """

    migrations: list[Migration]
    old: dict[Path, list[Old]]
    warnings: list[str]
    to: str | None = None
    twins: Mapping[Path, Twin] = MappingProxyType({})
    scripts: Mapping[Path, Rest] = MappingProxyType({})


def plan(paths: Sequence[Path], target: Target, copies: Workspace | None = None) -> Plan:
    """Plans the migration of presets, named by absolute paths, bases before the presets that extend them.

    Where there are copies, they are migrated instead of the files, and nobody else extends them.

    Raises:
        InputError: a file cannot be read or is no GRPO preset, or the migration is refused.
        ProofError: a defect: the new text is not what was planned.
    """
    target.check()
    workspace = copies or Workspace()
    loaded = [check.load(workspace, path) for path in distinct(paths)]
    presets = {preset.resolved.path: preset for preset in loaded}  # a pair is known by either of its files
    for preset in presets.values():
        refusals.refuse_json(preset)
        refusals.refuse_large(workspace, preset)
    groups = _groups(workspace, list(presets), target)
    old = _prove(workspace, groups, target, alone=copies is not None)
    named = {*presets, *map(server_half, presets)}
    done = [each for group in groups for each in group.files if each.changes or each.path in named]
    warnings = [*check.doubts(presets.values(), refusals.options(target)), *other_splits(presets.values(), target)]
    return Plan(done, old, warnings, target.to)


def _groups(workspace: Workspace, paths: Sequence[Path], target: Target) -> list[Group]:
    presets = {path: check.load(workspace, path) for path in paths}
    if target.bases is Bases.INCLUDE:
        bases = [base for preset in presets.values() for base in _bases(preset)]
        presets = {path: check.load(workspace, path) for path in distinct([*bases, *paths])}
    for path, preset in presets.items():
        # Nothing extends flat YAML, whatever names it.
        is_base = not preset.apart and any(_extends(other, path) for other in presets.values())
        refusals.refuse_unfit(preset, target, is_base=is_base)
    done: list[Group] = []
    for preset in sorted(presets.values(), key=lambda preset: (preset.apart, len(preset.resolved.files))):
        with refusals.about(preset.resolved.path):
            if isinstance(preset, Flat):
                refuse_odd_keys(preset)
                about_it = check.context(workspace, preset, refusals.options(target))
                changes, says = preset.implied_mode != target.to, preset.explicit_mode is not None
                pair = Pair(about_it, target, changes, preset, leads=True, sets_mode=not says)
                done.append(flat.DIRECTIONS[target.to](pair).edited())
            else:
                part = _part(workspace, presets, preset, target, _files(done))
                done.append(nested.DIRECTIONS[target.to](part).edited())
    return done


def _files(groups: Iterable[Group]) -> list[Migration]:
    return [migration for group in groups for migration in group.files]


def distinct(paths: Iterable[Path]) -> list[Path]:
    """The files, each once: one that has several names is planned by the first."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _bases(preset: Preset) -> list[Path]:
    # The server's file of a pair is no base, and flat YAML has none.
    return [] if preset.apart else preset.resolved.bases


def _extends(preset: Preset, path: Path) -> bool:
    return not preset.apart and os.path.realpath(path) in preset.resolved.real_bases


def _part(
    workspace: Workspace, presets: dict[Path, Preset], preset: Preset, target: Target, done: Sequence[Migration]
) -> Part:
    migrated = overlaid(workspace, done)
    after = check.load(migrated, preset.resolved.path)
    heirs = [other for other in presets.values() if _extends(other, preset.resolved.path)]
    mode = next((member.explicit_mode for member in (preset, *heirs) if member.explicit_mode is not None), None)
    says_mode = workspace.tree(preset.resolved.path).find("rlhf", "vllm_mode") is not None
    if target.bases is Bases.MASK and after.explicit_mode is not None:
        sets_mode = after.explicit_mode != target.to and not says_mode
    else:
        # A base may leave the mode to the presets that extend it, unless it is a whole preset itself.
        whole = is_whole(after)
        sets_mode = refusals.rolls_out(after) and after.explicit_mode is None and (mode is None or whole)
    led = any(check.load(migrated, base).explicit_mode is not None for base in presets if _extends(preset, base))
    return Part(
        check.context(workspace, preset, refusals.options(target)),
        target,
        changes_mode=(mode or preset.implied_mode) != target.to,
        after=after,
        below=below(migrated, after),
        leads=(says_mode or sets_mode or after.explicit_mode == target.to) and not led,
        sets_mode=sets_mode,
    )


def overlaid(workspace: Workspace, done: Iterable[Migration]) -> Workspace:
    """The files as they are once some are migrated; the same ones, where nothing changes."""
    changed = {migration.path: migration.content for migration in done if migration.changes}
    return Workspace({**workspace.overlay, **changed}) if changed else workspace


def _prove(old: Workspace, groups: Sequence[Group], target: Target, *, alone: bool) -> dict[Path, list[Old]]:
    migrations = _files(groups)
    new = overlaid(old, migrations)
    # The options of the call say what the result is to fit, and nothing of the presets as they are.
    audits = Audit(old, check.Options(swift_version=target.swift_version)), Audit(new, refusals.options(target))
    changed = [migration.path for migration in migrations if migration.changes]
    found: dict[Path, list[Old]] = {}
    parts: list[Path] = []
    for group in groups:
        prove(group.files, group.steps)
        before, after = check.load(old, group.path), check.load(new, group.path)
        if before.apart != after.apart:
            raise ProofError("the result is a preset of another layout")
        if not after.apart:
            parts.append(group.path)
            _check(before, after, migrations, new, target, alone=alone)
        touched = group.steps or _reads(after, changed) or target.resplits
        if refusals.rolls_out(after) and after.explicit_mode is not None and touched:
            found[group.path] = refuse_new(*audits, before, after)
    if not alone:
        refusals.refuse_left_behind(old, new, parts, [path for path in parts if path in changed], _OR_MASK)
    settled, named = target._replace(is_settled=True), [group.path for group in groups]
    if changed and any(migration.changes for migration in _files(_groups(new, named, settled))):
        raise ProofError("migrating the result again would change it")
    return found


def _check(  # noqa: PLR0913 - both states, the call, and what it aims at
    before: Preset,
    after: Preset,
    migrations: Sequence[Migration],
    new: Workspace,
    target: Target,
    *,
    alone: bool,
) -> None:
    named = [migration.path for migration in migrations]
    left = nested.DIRECTIONS[target.to].left(before, after, below(new, after))
    refusals.refuse_inherited(new, after, named, left, alone=alone)
    refusals.refuse_unplanned(before, after, [path for migration in migrations for path in migration.touched])
    if before.implied_mode != after.implied_mode:
        refusals.refuse_merged(before, after)


def _reads(preset: Preset, files: Sequence[Path]) -> bool:
    return not set(map(os.path.realpath, files)).isdisjoint(map(os.path.realpath, preset.resolved.files))
