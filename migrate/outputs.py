"""Where the new texts go: into the files themselves, into another folder, or beside the files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.writing import Change
from schema.check import load
from schema.errors import InputError
from schema.place import Place
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from migrate.migration import Migration
    from migrate.plan import Plan


def pending(made: Plan) -> list[Migration]:
    """The migrations that have something to write; a copy that is there already has nothing."""
    if not made.twins:
        return [migration for migration in made.migrations if migration.changes]
    copies = [
        migration for migration in made.migrations if is_copy(made, migration) and migration.content is not None
    ]
    return [migration for migration in copies if not os.path.lexists(migration.path)]


def is_copy(made: Plan, migration: Migration) -> bool:
    """Whether a file comes beside an original, as its copy or as the half that its copy gets."""
    return migration.path in made.twins or (bool(made.twins) and migration.before is None)


def changes(made: Plan, folder: Path | None) -> list[Change]:
    """What to write; what was read must hold until the end, also where it is not written.

    Raises:
        InputError: something else is in the place of a new file, or a file would not resolve there.
    """
    read: dict[Path, bytes | None] = {path: rest.content for path, rest in made.scripts.items()}
    copies = {each.path: each.content for each in made.migrations if is_copy(made, each)}
    if made.twins:
        created = _created(copies, "--suffix")
    elif folder is not None:
        created = _created(_below(made.migrations, folder), "--output-dir")
    else:
        _refuse_there(made.migrations)
        return [*_kept(read), *(Change(each.path, each.before, each.content) for each in made.migrations)]
    stay = [each for each in made.migrations if each.path not in copies and each.script is None]
    read |= {each.path: each.before for each in stay}
    return [*_kept(read | {twin.source: twin.original.content for twin in made.twins.values()}), *created]


def _refuse_there(migrations: Sequence[Migration]) -> None:
    for migration in migrations:
        if migration.script is not None and os.path.lexists(migration.path):
            why = f"is there already, and {migration.script.name} would give another one"
            raise InputError(f"{why}; remove it, or choose an --output-dir", Place(migration.path))


def _kept(read: Mapping[Path, bytes | None]) -> list[Change]:
    return [Change(path, content, content) for path, content in read.items()]


def _created(new: Mapping[Path, bytes | None], option: str) -> list[Change]:
    for path, content in new.items():
        if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == content):
            raise InputError(
                f"exists already with other content; remove it, or choose another {option}", Place(path)
            )
    return [Change(path, content if path.exists() else None, content) for path, content in new.items()]


def below(migrations: Sequence[Migration], folder: Path) -> dict[Path, Path]:
    """Where files come in another folder: they keep their places relative to each other, and so their bases."""
    common = Path(os.path.commonpath([migration.path.parent for migration in migrations]))
    return {migration.path: folder / migration.path.relative_to(common) for migration in migrations}


def _below(migrations: Sequence[Migration], folder: Path) -> dict[Path, bytes]:
    places = below(migrations, folder)
    contents = {places[each.path]: each.content for each in migrations if each.content is not None}
    workspace = Workspace(contents)
    for path in contents:
        _refuse_unresolved(workspace, path)
    return contents


def _refuse_unresolved(workspace: Workspace, path: Path) -> None:
    try:
        load(workspace, path)
    except InputError as error:
        raise InputError(
            f"would not resolve there: {error}; choose an --output-dir from which its bases are reached by the"
            " same relative paths",
            Place(path),
        ) from error
