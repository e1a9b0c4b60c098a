"""What a call tells of its plan: the diff, the report, what was wrong before, and what became of each file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.compare import reported
from migrate.outputs import below
from migrate.report.diff import diff
from migrate.report.diff import painted
from migrate.report.items import items
from migrate.report.items import render
from migrate.report.stale import look_at
from migrate.report.stale import stale
from schema import secrets
from schema.colour import painter
from schema.place import shown
from schema.printable import printable
from schema.report import report
from schema.report.machine import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.migration import Migration
    from migrate.plan import Plan
    from migrate.report.items import Item
    from migrate.report.stale import Stale
    from migrate.script.rest import Rest
    from schema.findings import Finding
    from schema.secrets import Known

#: The keys of the JSON report, and what they hold where a call says nothing of them.
_LISTS = ("changes", "unchanged", "look_at", "before", "stays", "warnings")
_NOTHING = {**dict.fromkeys(_LISTS, ()), "written": False}


def as_json(**parts: object) -> str:
    """The report for other programs; what is left out is nothing."""
    return json.dumps({**_NOTHING, **parts}, indent=2)


def for_programs(made: Plan, changed: Sequence[Migration], output: Path | None, *, written: bool) -> str:
    """A plan, for another program to read."""
    known = _known(made)
    report = as_json(
        changes=[item._asdict() for item in _items(made, changed, known)],
        unchanged=[shown(migration.path) for migration in _files(made) if migration not in changed],
        look_at=[comment._asdict() for comment in _stale(made, changed, known)],
        before=[plain(finding) for finding in _old(made, changed, output, written=written)],
        stays=[each.plain() for rest in made.scripts.values() for each in rest.left],
        warnings=made.warnings,
        written=written,
    )
    return f"{report}\n"


def names_of(made: Plan, changed: Sequence[Migration]) -> str:
    """Only which files would change."""
    new = [migration.path for migration in changed if made.twins or migration.script]
    what = {each.path: "written" if each.path in new else _done(made) for each in changed}
    return "".join(f"{_name(path)}: would be {each}\n" for path, each in what.items())


class Look(NamedTuple):
    """How a report looks: in colour or not, and the columns of the terminal that shows it, if it is one."""

    coloured: bool = False
    columns: int | None = None


def for_people(made: Plan, changed: Sequence[Migration], output: Path | None, look: Look, *, written: bool) -> str:
    """A plan and what becomes of it, for a person to read."""
    known, paint = _known(made), painter(coloured=look.coloured)
    old = _old(made, changed, output, written=written)
    diffs = [] if written else [diff(migration, known, made.twins.get(migration.path)) for migration in changed]
    parts = [painted(each, paint) for each in diffs]
    parts.append(render(_items(made, changed, known), look.columns))
    parts += [_stays(path, rest) for path, rest in made.scripts.items() if rest.left]
    title = "Findings that were there before, and stay" if made.to else "Findings that are left"
    parts += [f"{title}:\n{report(old, 'text', coloured=look.coloured)}\n"] if old else []
    for migration in _files(made):
        what = _verdict(made, migration, output, written=written) if migration in changed else "nothing to do"
        parts.append(f"{_name(migration.path)}: {what}\n")
    parts.append(look_at(_stale(made, changed, known)))
    if written and old:
        moved = below(made.migrations, output) if output else {}
        names = ", ".join(_name(moved.get(path, path)) for path, findings in made.old.items() if findings)
        parts.append(f"validate-config and the launchers will refuse {names} until they are fixed\n")
    return "".join(parts)


def _stays(path: Path, rest: Rest) -> str:
    lines = [f"  {shown(each.place.file)}:{each.place.line}: {each.text}" for each in rest.left]
    return "".join(
        f"{printable(line)}\n" for line in [f"What else {shown(path)} does, and what stays in it:", *lines]
    )


def _name(path: Path) -> str:
    return printable(shown(path))


def _known(made: Plan) -> Known:
    return secrets.known(*(text.data() for each in made.migrations for text in (each.old, each.new)))


def _stale(made: Plan, changed: Sequence[Migration], known: Known) -> list[Stale]:
    found = stale(changed, made.to)
    return [comment._replace(comment=secrets.starred_line(comment.comment, known)) for comment in found]


def _files(made: Plan) -> list[Migration]:
    # A copy in colocate mode gets no server's half, nor does a script.
    new = made.twins or made.scripts
    files = made.migrations
    return [each for each in files if not (new and each.content is None and each.before is None)]


def _items(made: Plan, changed: Sequence[Migration], known: Known) -> list[Item]:
    found = items(list(_with_twins(made))) if changed else []
    return [item.starred(known) for item in found]


def _with_twins(made: Plan) -> Iterator[Migration]:
    # What tells a copy from its original comes first.
    for migration in made.migrations:
        if twin := made.twins.get(migration.path):
            yield twin.copied
        yield migration


def _old(made: Plan, changed: Sequence[Migration], output: Path | None, *, written: bool) -> list[Finding]:
    """What was wrong before, placed in files that are there by then."""
    if made.twins and not changed:  # the copies are there, and were reported
        return []
    moved = below(made.migrations, output) if written and output else {}
    if not written:
        moved = {twin.path: twin.source for twin in made.twins.values()}
    found = reported(made.old.values(), written=written)
    return [finding.moved(moved) for finding in found]


def _done(made: Plan) -> str:
    return "migrated" if made.to else "fixed"


def _verdict(made: Plan, migration: Migration, output: Path | None, *, written: bool) -> str:
    if made.twins:
        return "written" if written else "would be written (--write does it)"
    if not written:
        if migration.script is not None:
            return f"would be written, from {_name(migration.script)} (--write does it)"
        return f"would be {_done(made) if migration.content is not None else 'removed'} (--write does it)"
    if migration.content is None:
        return f"not written to {_name(output)}" if output else "removed"
    return f"written to {_name(output)}" if output else "written"
