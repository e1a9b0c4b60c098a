"""Writes the pages of docs/ that follow from the code: rules, roles and defects.

`--check` writes nothing and fails if a page is not what the code says.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from launch.argv.entry import NEEDS_ENTRY
from launch.preflight import CHECKS
from schema.catalogue import lifetime
from schema.catalogue import order
from schema.rules import RULES
from schema.rules.defects import DEFECTS
from schema.swift.roles import ROLES
from schema.swift.roles import WRONG_PLACES
from schema.swift.roles import Role

DOCS = Path(__file__).parent
_HEAD = "<!-- Written by docs/generate.py; `make docs` writes it again. -->\n"


def rules() -> str:
    """The page of rules: one section each, from its docstring."""
    sections = [
        f"## {rule.id}\n\n{rule.severity.value}"
        f"{f', {rule.mode} mode' if rule.mode else ''}{f', {rule.layout} layout' if rule.layout else ''}"
        f"{', flat and script layouts' if rule.apart else ''}"
        f"\n\n{inspect.cleandoc(rule.check.__doc__ or '')}\n"
        for rule in (*RULES.values(), NEEDS_ENTRY)
    ]
    intro = (
        "What `validate-config` checks, and `rollout-split` on top. `validate-config --explain RULE` prints one"
        " section on presets, `rollout-split explain ID` any.\n"
    )
    machine = (
        "# Checks of the machine\n\nWhat `rollout-split` checks before anything is loaded, and before a learner"
        " connects. `--allow ID[,ID]` makes errors warnings.\n"
    )
    checks = [
        f"## {each.id}\n\n{each.severity.value}, {' and '.join(each.sides)}\n\n"
        f"{inspect.cleandoc(each.check.__doc__ or '')}\n"
        for each in CHECKS.values()
    ]
    return "\n".join([_HEAD, "# Rules\n", intro, *sections, machine, *checks])


def roles() -> str:
    """The page of roles: one table a role."""
    intro = (
        "Who acts on each ms-swift field that rollouts touch when `vllm_mode` is server. The proof is a line of"
        " ms-swift 4.5.2, below `swift/`.\n"
    )
    return "\n".join([_HEAD, "# Roles\n", intro, *(_table(role) for role in Role)])


def defects() -> str:
    """The page of the defects that `release-defect` knows: one table."""
    intro = (
        "What `release-defect` tells: defects that ms-swift had in some releases. The proof is a line of the last"
        " release with the defect, below `swift/`; docs/upstream-fixes.md has all mends and why some have no"
        " rule.\n"
    )
    head = "| defect | releases | argument | what happens | proof |\n| --- | --- | --- | --- | --- |"
    rows = [
        f"| {name} | {each.since} to before {each.until} | `{each.field}` |"
        f" {each.severity.value}: {each.happens} | `{each.proof}` |"
        for name, each in DEFECTS.items()
    ]
    return "\n".join([_HEAD, "# Defects of releases\n", intro, head, *rows, ""])


def _table(role: Role) -> str:
    rows = [
        f"| `{row.field}` | {_versions(row.field)} | `{row.proof}` | {row.misplaced.value} | {row.note} |"
        for row in ROLES.values()
        if row.role is role
    ]
    head = f"| field | releases | proof | {WRONG_PLACES[role]} it | note |\n| --- | --- | --- | --- | --- |"
    return "\n".join([f"## {role.value}\n", head, *rows, ""])


def _versions(field: str) -> str:
    lives = [life for side in ("trainer", "server") if (life := lifetime(side, field)) is not None]
    first = min((life.first for life in lives), key=order)
    last = max((life.last for life in lives), key=order)
    return f"{first} to {last}"


def main() -> int:
    """Writes or checks the pages; 1 if a page is stale."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, text in {"rules.md": rules(), "roles.md": roles(), "defects.md": defects()}.items():
        page = DOCS / name
        if check and (not page.exists() or page.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not check:
            page.write_text(text, encoding="utf-8")
    if stale:
        print(f"stale: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
