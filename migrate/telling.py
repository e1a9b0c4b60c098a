"""What a call tells of its plan: the diff, the report, what was wrong before, and what became of each file."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from migrate.compare import told
from migrate.outputs import below
from migrate.report import items
from migrate.report import render
from migrate.stale import look_at
from migrate.stale import stale
from schema.exits import warn
from schema.place import shown
from schema.report import REPORTERS
from schema.report import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.migration import Migration
    from migrate.plan import Plan
    from migrate.report import Item
    from migrate.twins import Twin
    from schema.findings import Finding
    from schema.place import Place

#: The keys of the JSON report, and what they hold where a call says nothing of them.
_NOTHING = {"changes": [], "unchanged": [], "look_at": [], "before": [], "warnings": [], "written": False}


def print_json(**said: object) -> None:
    """Prints the report for other programs; what is not said is nothing."""
    print(json.dumps({**_NOTHING, **said}, indent=2))


def tell_program(made: Plan, changed: Sequence[Migration], output: Path | None, *, written: bool) -> None:
    """Tells another program of a plan."""
    print_json(
        changes=[item.plain() for item in _items(made, changed)],
        unchanged=[shown(migration.path) for migration in _files(made) if migration not in changed],
        look_at=[comment.plain() for comment in stale(changed, made.to)],
        before=[plain(finding) for finding in _old(made, changed, output, written=written)],
        warnings=made.warnings,
        written=written,
    )


def tell_files(made: Plan, changed: Sequence[Migration]) -> None:
    """Tells only which files would change."""
    for migration in changed:
        what = "written" if made.twins else "migrated"
        print(f"{shown(migration.path)}: would be {what}")


def tell(made: Plan, changed: Sequence[Migration], output: Path | None, *, written: bool) -> None:
    """Tells a person of a plan, and of what became of it."""
    for warning in made.warnings:
        warn(warning)
    if not written:
        for migration in changed:
            print(diff(migration, made.twins.get(migration.path)), end="")
    if found := _items(made, changed):
        print(render(found))
    if doubtful := stale(changed, made.to):
        print(look_at(doubtful))
    if old := _old(made, changed, output, written=written):
        print(f"What was wrong before, and stays:\n{REPORTERS['text'](old)}")
    for migration in _files(made):
        what = _verdict(made, migration, output, written=written) if migration in changed else "nothing to do"
        print(f"{shown(migration.path)}: {what}")
    if written and old:
        moved = below(made.migrations, output) if output else {}
        names = ", ".join(shown(moved.get(path, path)) for path, known in made.old.items() if known)
        print(f"validate-config and the launchers will refuse {names} until what was wrong before is mended")


def _files(made: Plan) -> list[Migration]:
    # A copy in colocate mode gets no server's half.
    return [one for one in made.migrations if not (made.twins and one.content is None)]


def _items(made: Plan, changed: Sequence[Migration]) -> list[Item]:
    found: list[Item] = []
    for migration in made.migrations if changed else ():
        if twin := made.twins.get(migration.path):
            found += items(twin.path, twin.original, twin.text, twin.edits)
        found += migration.items()
    return found


def _old(made: Plan, changed: Sequence[Migration], output: Path | None, *, written: bool) -> list[Finding]:
    """What was wrong before, placed in files that are there by then."""
    if made.twins and not changed:  # the copies are there, and were told of
        return []
    moved = below(made.migrations, output) if written and output else {}
    if not written:
        moved = {twin.path: twin.source for twin in made.twins.values()}
    found = told(made.old.values(), written=written)
    return [finding._replace(place=_moved(finding.place, moved)) for finding in found]


def _moved(place: Place, moved: Mapping[Path, Path]) -> Place:
    return place._replace(file=moved.get(place.file, place.file))


def _verdict(made: Plan, migration: Migration, output: Path | None, *, written: bool) -> str:
    if made.twins:
        return "written" if written else "would be written (--write does it)"
    if not written:
        return f"would be {'migrated' if migration.content is not None else 'removed'} (--write does it)"
    if migration.content is None:
        return "not written below it" if output else "removed"
    return f"written below {shown(output)}" if output else "written"


def diff(migration: Migration, twin: Twin | None = None) -> str:
    """The unified diff of one file; of a copy against its original, in the form in which git applies it."""
    old, name = (twin.original, shown(twin.source)) if twin else (migration.old, shown(migration.path))
    there = twin is not None or migration.before is not None
    source, copy = name.lstrip("/"), shown(migration.path).lstrip("/")
    lines = difflib.unified_diff(
        old.text.splitlines(keepends=True),
        migration.new.text.splitlines(keepends=True),
        f"a/{source}" if there else "/dev/null",
        f"b/{copy}" if migration.content is not None else "/dev/null",
    )
    head = f"diff --git a/{source} b/{copy}\ncopy from {source}\ncopy to {copy}\n" if twin else ""
    return head + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
