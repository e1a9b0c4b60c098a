"""Findings for other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Finding


def as_json(findings: Sequence[Finding]) -> str:
    """A JSON list of findings; lines and columns count from 1."""
    return json.dumps([plain(finding) for finding in findings], indent=2)


def plain(finding: Finding) -> dict[str, object]:
    """One finding for JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": shown(finding.place.file),
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
        "consequence": finding.consequence,
        "fix": finding.fix,
    }
