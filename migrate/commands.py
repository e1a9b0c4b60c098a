"""What migrate-config does with a plan: show it, check it, write it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from click import ClickException

from migrate.diff import diff
from migrate.plan import plan
from migrate.report import render
from migrate.writing import Change
from migrate.writing import locked
from migrate.writing.disk import reason
from schema import secrets
from schema.check import load
from schema.errors import InputError
from schema.exits import Exit
from schema.place import Place
from schema.place import shown
from schema.printable import printable
from schema.resolve import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.migration import Migration
    from migrate.target import Target


@dataclass(frozen=True)
class Wish:
    """What to do with the plan; neither `write` nor `check`: show the diff.

    Attributes:
        write: whether to write the files.
        check: whether to say only that files would change.
        output: the folder to write to instead, or None for the files themselves.
        report: text or json.
    """

    write: bool = False
    check: bool = False
    output: Path | None = None
    report: str = "text"


def migrate(paths: Sequence[Path], target: Target, wish: Wish) -> Exit:
    """Plans, then does what was wished.

    Raises:
        InputError: the input cannot be read, or the migration is refused; nothing is written.
    """
    for path in paths:
        _refuse_special(path)
    with locked([*paths, *filter(None, [wish.output])], alone=wish.write) as session:
        migrations = plan(paths, target)
        changed = [migration for migration in migrations if migration.changes]
        changes = _changes(migrations, wish.output if changed else None)
        # What is told is made before anything is written: after it nothing may fail.
        told = _told(migrations, changed, wish)
        if wish.write:
            session.write(changes)
    with _telling(written=bool(changed) and wish.write):
        print(told, end="")
    return Exit.FINDINGS if changed and not wish.write else Exit.OK


@contextmanager
def _telling(*, written: bool) -> Iterator[None]:
    try:
        yield
        print(end="", flush=True)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not written:  # whoever reads has seen enough
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = "all files are written" if written else "nothing was written"
        raise InputError(f"the report cannot be shown: {reason(error)}; {what}") from error


def _refuse_special(path: Path) -> None:
    # Who reads a pipe waits for a writer.
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):  # noqa: PTH110, PTH112, PTH113
        raise InputError("is no regular file", Place(path))


def _changes(migrations: Sequence[Migration], folder: Path | None) -> list[Change]:
    # What was read must hold until the end, also where it is not written.
    read = {migration.path: migration.before for migration in migrations}
    if folder is None:
        return [Change(migration.path, read[migration.path], migration.content) for migration in migrations]
    kept = [Change(path, content, content) for path, content in read.items()]
    new = _beside(migrations, folder)
    there = {path: content if path.exists() else None for path, content in new.items()}
    return [*kept, *(Change(path, there[path], content) for path, content in new.items())]


def _beside(migrations: Sequence[Migration], folder: Path) -> dict[Path, bytes]:
    # Named files keep their places relative to each other, so that one can still extend another.
    common = Path(os.path.commonpath([migration.path.parent for migration in migrations]))
    contents = {folder / m.path.relative_to(common): m.content for m in migrations if m.content is not None}
    workspace = Workspace(contents)
    for path, content in contents.items():
        _refuse_overwriting(path, content)
        _refuse_unresolved(workspace, path)
    return contents


def _refuse_overwriting(path: Path, content: bytes) -> None:
    if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == content):
        raise InputError(
            "is there already, and is something else; remove it, or choose another --output-dir", Place(path)
        )


def _refuse_unresolved(workspace: Workspace, path: Path) -> None:
    try:
        load(workspace, path)
    except InputError as error:
        raise InputError(
            f"would not resolve there: {error}; choose an --output-dir from which its bases are reached by the"
            " same relative paths",
            Place(path),
        ) from error


def _told(migrations: Sequence[Migration], changed: Sequence[Migration], wish: Wish) -> str:
    known = secrets.known(*(half.data() for migration in migrations for half in (migration.old, migration.new)))
    found = [item.starred(known) for migration in migrations for item in migration.items()]
    if wish.report == "json":
        unchanged = [shown(migration.path) for migration in migrations if not migration.changes]
        return _json([item.plain() for item in found], unchanged, written=bool(changed) and wish.write)
    if wish.check:
        return "".join(f"{printable(shown(migration.path))}: would be migrated\n" for migration in changed)
    diffs = [] if wish.write else [diff(migration, known) for migration in changed]
    verdicts = [f"{printable(shown(migration.path))}: {_verdict(migration, wish)}\n" for migration in migrations]
    return "".join([*diffs, render(found), *verdicts])


def failure(error: Exception) -> str:
    """The JSON report of a call that was ended by an error, and changed nothing, unless the message says so."""
    return _json(error=error).rstrip()


def _json(
    changes: Sequence[object] = (),
    unchanged: Sequence[str] = (),
    *,
    written: bool = False,
    error: Exception | None = None,
) -> str:
    plain = {"changes": list(changes), "unchanged": list(unchanged), "written": written}
    return json.dumps(plain | ({"error": _plain(error)} if error else {}), indent=2) + "\n"


def _plain(error: Exception) -> dict[str, object]:
    if not isinstance(error, InputError):
        message = (
            error.format_message() if isinstance(error, ClickException) else str(error) or type(error).__name__
        )
        return {"message": printable(secrets.starred(message)), "file": None, "line": None, "column": None}
    file, line, column = error.place or (None, None, None)
    return {"message": error.message, "file": file and shown(file), "line": line, "column": column}


def _verdict(migration: Migration, wish: Wish) -> str:
    if not migration.changes:
        return "nothing to do"
    if not wish.write:
        return f"would be {'migrated' if migration.content is not None else 'removed'} (--write does it)"
    if migration.content is None:
        return "not written below it" if wish.output else "removed"
    return f"written below {printable(shown(wish.output))}" if wish.output else "written"
