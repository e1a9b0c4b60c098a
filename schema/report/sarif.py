"""Findings as SARIF 2.1.0, which code-scanning services read."""

from __future__ import annotations

import json
import os
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import quote

from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding]) -> str:
    """One SARIF run."""
    driver = {
        "name": "rollout-split",
        "version": metadata.version("rollout-split"),
        "rules": [{"id": rule} for rule in sorted({finding.rule for finding in findings})],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding) -> dict[str, object]:
    parts = [finding.message, finding.consequence, f"fix: {finding.fix}" if finding.fix else ""]
    region = {"startLine": finding.place.line, "startColumn": finding.place.column}
    location = {"artifactLocation": {"uri": quote(os.fsencode(shown(finding.place.file)))}, "region": region}
    return {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": "\n".join(part for part in parts if part)},
        "locations": [{"physicalLocation": location}],
    }
