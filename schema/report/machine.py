"""Findings for other programs: docs/findings.schema.json describes the output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Finding
    from schema.place import Place

#: Of the output's form; it grows when a key changes its meaning or goes, not when one is added.
VERSION = 1


def as_json(findings: Sequence[Finding], *, error: str | None = None) -> str:
    """One JSON object with all findings; lines and columns count from 1.

    The error is what ended the call before anything could be checked.
    """
    errors = sum(finding.is_error for finding in findings)
    return json.dumps(
        {
            "version": VERSION,
            "errors": errors,
            "warnings": len(findings) - errors,
            "error": error,
            "findings": [plain(finding) for finding in findings],
        },
        indent=2,
    )


def plain(finding: Finding) -> dict[str, object]:
    """One finding for JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "presets": [shown(preset) for preset in finding.presets],
        **_placed(finding.place),
        "message": finding.message,
        "consequence": finding.consequence,
        "fix": finding.fix,
        "fixable": bool(finding.edits),
        "related": [{"text": each.text, **_placed(each.place)} for each in finding.related],
    }


def _placed(place: Place) -> dict[str, object]:
    return {
        "file": shown(place.file),
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line or None,
        "end_column": place.end_column or None,
    }
