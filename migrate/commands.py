"""What migrate-config does with a plan: show it, check it, write it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.beside import plan_beside
from migrate.fix import plan_fixes
from migrate.hook import presets_of
from migrate.outputs import changes
from migrate.outputs import pending
from migrate.report.telling import Look
from migrate.report.telling import as_json
from migrate.report.telling import for_people
from migrate.report.telling import for_programs
from migrate.report.telling import names_of
from migrate.script.plan import plan_all
from migrate.writing import locked
from migrate.writing.disk import reason
from schema.colour import is_wanted
from schema.errors import InputError
from schema.exits import Exit
from schema.exits import brief
from schema.exits import warn
from schema.hook import in_hook
from schema.place import Place
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.migration import Migration
    from migrate.plan import Plan
    from migrate.target import Target


class Request(NamedTuple):
    """What to do with the plan; neither `write` nor `check`: show the diff.

    Attributes:
        fix: whether to fix findings, and not to migrate.
        write: whether to write the files.
        check: whether to say only that files would change.
        output: the folder to write to instead, or None for the files themselves.
        suffix: what the names of copies get that are migrated instead of the files, or None.
        report: text or json.
        colour: when the text is coloured: auto, always or never.
    """

    fix: bool = False
    write: bool = False
    check: bool = False
    output: Path | None = None
    suffix: str | None = None
    report: str = "text"
    colour: str = "auto"


def migrate(paths: Sequence[Path], target: Target, request: Request) -> Exit:
    """Plans, then does what was wished.

    Raises:
        InputError: the input cannot be read, or the migration is refused; nothing is written.
    """
    for path in paths:
        _refuse_special(path)
    if request.check and in_hook() and not (paths := presets_of(paths, fixes=request.fix)):
        print(f"{as_json()}\n" if request.report == "json" else "", end="")
        return Exit.OK
    with locked([*paths, *filter(None, [request.output])], alone=request.write) as session:
        made = _planned(paths, target, request)
        changed = pending(made)
        new = changes(made, request.output if changed else None)
        # The report is made before anything is written: after that, nothing may fail.
        written = bool(changed) and request.write
        report = _report(made, changed, request, written=written)
        if request.write:
            session.write(new)
    with _telling(written=written):
        for warning in made.warnings if request.report == "text" else ():
            warn(warning)
        print(report, end="")
    return Exit.FINDINGS if changed and not request.write else Exit.OK


def _planned(paths: Sequence[Path], target: Target, request: Request) -> Plan:
    if request.fix:
        return plan_fixes(paths, target)
    return plan_all(paths, target) if request.suffix is None else plan_beside(paths, target, request.suffix)


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
        raise InputError("is not a regular file", Place(path))


def _report(made: Plan, changed: Sequence[Migration], request: Request, *, written: bool) -> str:
    if request.report == "json":
        return for_programs(made, changed, request.output, written=written)
    if request.check:
        return names_of(made, changed)
    columns = _columns() if sys.stdout.isatty() else None
    look = Look(is_wanted(request.colour, sys.stdout), columns)
    return for_people(made, changed, request.output, look, written=written)


def _columns() -> int:
    import shutil  # noqa: PLC0415 - brings three compressors

    return shutil.get_terminal_size().columns


def failure(error: Exception) -> str:
    """The JSON report of a call that was ended by an error, and changed nothing, unless the message says so."""
    place = error.place if isinstance(error, InputError) else None
    file, line, column = place[:3] if place else (None, None, None)
    where = {"file": file and shown(file), "line": line, "column": column}
    return as_json(error={"message": brief(error), **where})
