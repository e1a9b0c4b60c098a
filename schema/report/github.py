"""Findings as workflow commands, which GitHub shows as annotations on the changed lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.place import shown
from schema.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Finding
    from schema.place import Place


def github(findings: Sequence[Finding]) -> str:
    """One workflow command a finding."""
    return "\n".join(_command(finding) for finding in findings)


def _command(finding: Finding) -> str:
    where = ",".join(f"{name}={value}" for name, value in _placed(finding.place).items())
    parts = [finding.message, finding.consequence, f"fix: {finding.advice}" if finding.fix else ""]
    message = _data("\n".join(printable(part) for part in parts if part))
    return f"::{finding.severity.value} {where},title={finding.rule}::{message}"


def _placed(place: Place) -> dict[str, object]:
    start = {"file": _property(shown(place.file)), "line": place.line, "col": place.column}
    if not place.end_line:
        return start
    # GitHub takes columns only of one line, and its end column is the last character's.
    end = {"endColumn": max(place.end_column - 1, place.column)} if place.end_line == place.line else {}
    return {**start, "endLine": place.end_line, **end}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text, keep="\r\n")).replace(":", "%3A").replace(",", "%2C")
