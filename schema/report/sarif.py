"""Findings as SARIF 2.1.0, which code-scanning services read."""

from __future__ import annotations

import json
import os
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import quote

from schema.explained import address
from schema.explained import explanation
from schema.explained import page_of
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.findings import Excerpt
    from schema.findings import Finding
    from schema.findings import Related
    from schema.place import Place

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding]) -> str:
    """One SARIF run; it describes each rule that has a result."""
    rules = sorted({finding.rule for finding in findings})
    driver: dict[str, object] = {
        "name": "rollout-split",
        "version": metadata.version("rollout-split"),
        "rules": [_rule(rule) for rule in rules],
    }
    if (home := address("rules.md")) is not None:
        driver["informationUri"] = home
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [{"ruleIndex": rules.index(finding.rule), **_result(finding)} for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: str) -> dict[str, object]:
    text, page = explanation(rule), address(page_of(rule))
    summary, _, more = text.partition("\n")
    described: dict[str, object] = {
        "id": rule,
        "name": rule.title().replace("-", ""),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": text},
        "help": {
            "text": f"{text}\n\nvalidate-config --explain {rule} prints this.",
            "markdown": f"**{summary}**\n{more}\n\n`validate-config --explain {rule}` prints this.",
        },
    }
    return described if page is None else {**described, "helpUri": page}


def _result(finding: Finding) -> dict[str, object]:
    parts = [finding.message, finding.consequence, f"fix: {finding.advice}" if finding.fix else ""]
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": finding.severity.value,
        "message": {"text": "\n".join(part for part in parts if part)},
        "locations": [_location(finding.place, finding.excerpt)],
    }
    if related := [each for each in finding.related if each.place != finding.place]:
        result["relatedLocations"] = [_related(number, each) for number, each in enumerate(related)]
    if finding.presets:
        result["properties"] = {"presets": [shown(preset) for preset in finding.presets]}
    return result


def _related(number: int, related: Related) -> dict[str, object]:
    return {"id": number, "message": {"text": related.text}, **_location(related.place)}


def _location(place: Place, excerpt: Excerpt | None = None) -> dict[str, object]:
    region: dict[str, object] = {"startLine": place.line, "startColumn": place.column}
    if place.end_line:
        region |= {"endLine": place.end_line, "endColumn": place.end_column}
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(place)}, "region": region}
    if excerpt is not None and place.end_line == place.line:  # the line is the context of what stands in it
        physical["contextRegion"] = {"startLine": place.line, "snippet": {"text": excerpt.text}}
    return {"physicalLocation": physical}


def _uri(place: Place) -> str:
    name = quote(os.fsencode(shown(place.file)))
    return f"file://{name}" if name.startswith("/") else name
