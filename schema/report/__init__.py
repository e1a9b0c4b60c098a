"""Findings in each format: one function a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.report.github import github
from schema.report.machine import as_json
from schema.report.machine import plain
from schema.report.sarif import sarif
from schema.report.text import concise
from schema.report.text import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from schema.findings import Finding

#: Reporters for people, who may get colour.
PEOPLE = {"text": text, "concise": concise}
#: Reporters for programs.
PROGRAMS: dict[str, Callable[[Sequence[Finding]], str]] = {"json": as_json, "github": github, "sarif": sarif}
#: What `--format` takes.
FORMATS = (*PEOPLE, *PROGRAMS)


def report(findings: Sequence[Finding], form: str, *, coloured: bool = False) -> str:
    """The whole output of findings in a format; nothing where there is nothing to tell a person."""
    return PEOPLE[form](findings, coloured=coloured) if form in PEOPLE else PROGRAMS[form](findings)


__all__ = ["FORMATS", "as_json", "plain", "report", "sarif", "text"]
