"""`--suffix`: copies beside the originals, which extend each other's copies, are migrated; the originals stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.outputs import is_copy
from migrate.plan import Plan
from migrate.plan import distinct
from migrate.plan import plan
from migrate.proof import ProofError
from migrate.refusals import rolls_out
from migrate.target import Bases
from migrate.twins import copied
from schema.check import load
from schema.errors import InputError
from schema.layouts.flat import Flat
from schema.layouts.flat import is_learner_half
from schema.layouts.flat import learner_half
from schema.layouts.flat import server_half
from schema.place import Place
from schema.place import shown
from schema.resolve import Workspace
from schema.resolve.extends import bases
from schema.shelltext import is_script

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from migrate.target import Target
    from migrate.twins import Twin

#: What two runs would write to one place under.
_SHARED = ("run_name", "output_dir")


def check_suffix(suffix: str) -> None:
    """Refuses what would name no file beside the original, or the server's half of a pair.

    Raises:
        InputError: with the reason.
    """
    if not suffix or set(suffix) & {"/", os.sep, "\0"}:
        raise InputError(f"--suffix {suffix!r}: it must be text to append to a file's name, such as _server")
    if learner_half(Path(f"x{suffix}.yaml")) is not None:
        raise InputError(f"--suffix {suffix!r}: x{suffix}.yaml is the name of the server's half of another preset")


def plan_beside(paths: Sequence[Path], target: Target, suffix: str) -> Plan:
    """Plans the migration of copies, of files that change or a base of which does; raises what `plan` raises."""
    named = _named(paths, target)
    taken = {_copy_of(path, suffix) for path in named}
    names = {path: _copy_of(path, suffix) for path in named if path not in taken}
    made = _planned(named, names, target)
    if (needed := _needed(made, names)) != names:
        made = _planned(named, needed, target)
    _refuse_both(made, names)
    return made


def _refuse_both(made: Plan, names: Mapping[Path, Path]) -> None:
    for migration in made.migrations:
        if migration.changes and not is_copy(made, migration):
            source = next((original for original, copy in names.items() if copy == migration.path), None)
            if source is None:
                raise ProofError(f"{migration.path} would change, though its copy would not")
            raise InputError(
                f"has the name of the copy of {shown(source)}: name only one of them", Place(migration.path)
            )


def _copy_of(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.stem}{suffix}{path.suffix}")


def _named(paths: Sequence[Path], target: Target) -> list[Path]:
    # Learners' halves stand for pairs; bases come along where they are to be migrated, too.
    workspace, found = Workspace(), list[Path]()
    for path in paths:
        if is_script(path):
            raise InputError("is a script, which stays as it is; leave out --suffix", Place(path))
        preset = load(workspace, path)
        whole = target.bases is Bases.INCLUDE and not isinstance(preset, Flat)
        found += preset.resolved.files if whole else [preset.resolved.path]
    return distinct(found)


def _planned(named: Sequence[Path], names: Mapping[Path, Path], target: Target) -> Plan:
    twins, workspace = copied(names)
    call = [names.get(path, path) for path in named]
    try:
        made = plan(list(dict.fromkeys(call)), target, workspace)
    except InputError as error:
        raise _of_the_original(error, twins) from error
    return made._replace(twins=twins, warnings=[*made.warnings, *_mixed(made, workspace, twins)])


def _needed(made: Plan, names: Mapping[Path, Path]) -> dict[Path, Path]:
    """The copies that differ from their originals by more than the names of copies that do not."""
    workspace = Workspace()
    changed = {migration.path for migration in made.migrations if migration.changes}
    needed = {source for source, copy in names.items() if {copy, server_half(copy)} & changed}
    while more := {path for path in names.keys() - needed if _extends(workspace, path, needed)}:
        needed |= more
    return {source: copy for source, copy in names.items() if source in needed}


def _extends(workspace: Workspace, path: Path, needed: Iterable[Path]) -> bool:
    own = workspace.tree(path)
    if is_learner_half(own):  # flat YAML extends nothing
        return False
    return not {os.path.realpath(base) for base, _ in bases(path, own)}.isdisjoint(map(os.path.realpath, needed))


def _mixed(made: Plan, old: Workspace, twins: Mapping[Path, Twin]) -> Iterator[str]:
    """What a preset and its copy would write to one place."""
    new = Workspace({**old.overlay, **{migration.path: migration.content for migration in made.migrations}})
    for twin in twins.values():
        preset = load(new, twin.path)
        shared = [f"{name} {preset.value(name)!r}" for name in _SHARED if preset.value(name) is not None]
        if shared and rolls_out(preset) and preset.resolved.path == twin.path and not twin.path.exists():
            both = f"{shown(twin.path)} and {shown(twin.source)}"
            yield f"{both} share {' and '.join(shared)}: give one of them its own, or their runs get mixed up"


def _of_the_original(error: InputError, twins: Mapping[Path, Twin]) -> InputError:
    # The copy is not there yet; its lines are the original's.
    if error.place is None or error.place.file not in twins:
        return error
    return InputError(error.message, error.place._replace(file=twins[error.place.file].source))
