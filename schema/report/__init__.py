"""Findings in each format: a function each, in a module that is imported when the format is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Finding

#: Reporters for people, who may get colour, and for programs: by what `--format` takes, module and function.
_PEOPLE = {"text": ("text", "text"), "concise": ("text", "concise")}
_PROGRAMS = {"json": ("machine", "as_json"), "github": ("github", "github"), "sarif": ("sarif", "sarif")}
#: What `--format` takes.
FORMATS = (*_PEOPLE, *_PROGRAMS)


def report(findings: Sequence[Finding], form: str, *, coloured: bool = False) -> str:
    """The whole output of findings in a format; nothing where there is nothing to tell a person."""
    if form in _PEOPLE and not findings:
        return ""
    module, function = (_PEOPLE | _PROGRAMS)[form]
    reporter = getattr(import_module(f"schema.report.{module}"), function)
    shown: str = reporter(findings, coloured=coloured) if form in _PEOPLE else reporter(findings)
    return shown
