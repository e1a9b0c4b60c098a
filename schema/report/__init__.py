"""Findings as text, JSON, GitHub annotations or SARIF: one function a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.report.github import github
from schema.report.machine import as_json
from schema.report.machine import plain
from schema.report.sarif import sarif
from schema.report.text import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from schema.findings import Finding

#: Reporters by the name that `--format` takes; each makes the whole output of findings.
REPORTERS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}

__all__ = ["REPORTERS", "plain"]
