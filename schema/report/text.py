"""Findings for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from schema.findings import Finding


def text(findings: Sequence[Finding]) -> str:
    """One block a finding, then a line that counts them; nothing at all if there are none."""
    if not findings:
        return ""
    lines = [printable(line) for finding in findings for line in _block(finding)]
    return "\n".join([*lines, summary(findings)])


def _block(finding: Finding) -> Iterator[str]:
    yield f"{finding.place}: {finding.severity.value}[{finding.rule}] {finding.message}"
    if finding.consequence:
        yield f"    {finding.consequence}"
    if finding.fix:
        yield f"    fix: {finding.fix}"


def summary(findings: Sequence[Finding]) -> str:
    """How many errors and warnings there are, and in how many files."""
    errors = sum(finding.is_error for finding in findings)
    files = len({finding.place.file for finding in findings})
    parts = [_counted(errors, "error"), _counted(len(findings) - errors, "warning")]
    return f"{', '.join(part for part in parts if part)} in {_counted(files, 'file')}"


def _counted(number: int, noun: str) -> str:
    return "" if not number else f"{number} {noun}{'s' if number > 1 else ''}"
