"""Writes the pages and pictures of docs/ that follow from the code and from measured numbers.

`--check` writes nothing and fails if a page is not what the code says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import predicted
from pictures import pictures
from reference import commands
from reference import layouts
from rule_pages import rule_pages

from launch.explained import topics
from schema.catalogue import lifetime
from schema.catalogue import order
from schema.explained import page_of
from schema.rules.defects import DEFECTS
from schema.swift.roles import ROLES
from schema.swift.roles import WRONG_PLACES
from schema.swift.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.explained import Topic

DOCS = Path(__file__).parent
_HEAD = "<!-- Written by docs/generate.py; `make docs` writes it again. -->\n"


def rules() -> dict[str, str]:
    """The index of the rules, and a page for each."""
    intro = (
        "What `validate-config` checks, and `rollout-split` on top: a page each. `validate-config --explain"
        " RULE`\nprints the first part of one on presets, `rollout-split explain ID` of any.\n"
    )
    index = "\n".join([_HEAD, "# Rules\n", intro, *(_index(*group) for group in topics().items())])
    return {"rules.md": index} | {name: f"{_HEAD}\n{page}" for name, page in rule_pages().items()}


def _index(title: str, group: Mapping[str, Topic]) -> str:
    rows = [
        f"| [{name}]({page_of(name)}) | {topic.severity.value} | {topic.summary} |"
        for name, topic in group.items()
    ]
    return "\n".join([f"## {title}\n", "| id | severity | what |\n| --- | --- | --- |", *rows, ""])


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
        " release with the defect, below `swift/`; [upstream-fixes.md](upstream-fixes.md) has all mends, and why"
        " some have no rule.\n"
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
    """Writes or checks the pages; 1 if a page is stale, or one of a rule that is gone."""
    check = "--check" in sys.argv[1:]
    written = {"commands.md": commands(), "layouts.md": layouts(), "predicted.md": predicted.page()}
    pages = {**rules(), "roles.md": roles(), "defects.md": defects(), **pictures()}
    pages |= {name: f"{_HEAD}\n{page}" for name, page in written.items()} | {
        predicted.IMAGE: predicted.svg() + "\n"
    }
    there = {f"rules/{page.name}" for page in DOCS.glob("rules/*.md")}
    stale = {name for name, text in pages.items() if not _is(DOCS / name, text)} | (there - pages.keys())
    if check and stale:
        print(f"stale: {', '.join(sorted(stale))}; run `make docs`", file=sys.stderr)
        return 1
    (DOCS / "rules").mkdir(exist_ok=True)
    for name in stale:
        if name in pages:
            (DOCS / name).write_text(pages[name], encoding="utf-8")
        else:
            (DOCS / name).unlink()
    return 0


def _is(page: Path, text: str) -> bool:
    return page.exists() and page.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
