"""Findings for a person at a terminal: a block each, or a line each."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from schema.colour import painter
from schema.explained import INPUT
from schema.explained import explanation
from schema.explained import location
from schema.explained import page_of
from schema.findings import Severity
from schema.place import shown
from schema.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from schema.colour import Paint
    from schema.findings import Excerpt
    from schema.findings import Finding

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
#: Presets of one finding that are named; the others are counted.
_NAMED = 3


def text(findings: Sequence[Finding], *, coloured: bool = False) -> str:
    """One block a finding, then a line that counts them, and one that says where the rules are explained."""
    paint = painter(coloured=coloured)
    lines = [line for finding in findings for line in _block(finding, paint)]
    more = _more({finding.rule for finding in findings} - INPUT.keys())
    return "\n".join(filter(None, [_counted_up(lines, findings), more]))


def concise(findings: Sequence[Finding], *, coloured: bool = False) -> str:
    """One line a finding, then a line that counts them."""
    paint = painter(coloured=coloured)
    return _counted_up([_head(finding, paint) for finding in findings], findings)


def _counted_up(lines: list[str], findings: Sequence[Finding]) -> str:
    return "\n".join([*lines, summary(findings)]) if findings else ""


def _more(rules: set[str]) -> str:
    """Where a person reads more: a command, and a page if there is one; errors of the input explain themselves."""
    if not rules:
        return ""
    only = next(iter(rules)) if len(rules) == 1 else None
    command = "validate-config --explain" if all(map(explanation, rules)) else "rollout-split explain"
    page = location(page_of(only) if only else "rules.md")
    return f"`{command} {only or 'RULE'}` {f'and {page} say' if page else 'says'} more"


def _head(finding: Finding, paint: Paint) -> str:
    place = paint(printable(str(finding.place)), bold=True)
    kind = paint(finding.severity.value, fg=_COLOURS[finding.severity], bold=True)
    return f"{place}: {kind}[{finding.rule}] {printable(finding.message)}"


def _block(finding: Finding, paint: Paint) -> Iterator[str]:
    yield _head(finding, paint)
    if finding.excerpt is not None:
        yield from _source(finding.excerpt, finding.place.line, paint)
    if finding.consequence:
        yield f"    {printable(finding.consequence)}"
    if provenance := _provenance(finding):
        yield f"    {printable(provenance)}"
    if finding.fix:
        yield f"    {paint('fix:', fg='green')} {printable(finding.advice)}"


def _source(excerpt: Excerpt, line: int, paint: Paint) -> Iterator[str]:
    yield f"{paint(f'{line:>6} | ', fg='blue')}{excerpt.text}".rstrip()
    if excerpt.width:
        before, value = excerpt.text[: excerpt.caret], excerpt.text[excerpt.caret :][: excerpt.width]
        carets = paint("^" * max(_columns(value), 1), fg="red")
        yield paint("       | ", fg="blue") + " " * _columns(before) + carets


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes: two for a wide character, none for one that combines."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _provenance(finding: Finding) -> str:
    """Who set what where, if that is more than the line which the finding shows already."""
    related = [f"{each.text} ({shown(each.place.file)}:{each.place.line})" for each in finding.related]
    elsewhere = [preset for preset in finding.presets if preset != finding.place.file]
    lines = {each.place[:2] for each in finding.related} - {finding.place[:2]}
    if not (elsewhere or lines):
        return ""
    return ": ".join(filter(None, [f"in {_listed(finding.presets)}", ", ".join(related)]))


def _listed(presets: Sequence[Path]) -> str:
    names = ", ".join(shown(preset) for preset in presets[:_NAMED])
    more = len(presets) - _NAMED
    return names + (f" and {_counted(more, 'more preset')}" if more > 0 else "")


def summary(findings: Sequence[Finding]) -> str:
    """How many errors and warnings there are, and in how many files."""
    errors = sum(finding.is_error for finding in findings)
    files = len({finding.place.file for finding in findings})
    parts = [_counted(errors, "error"), _counted(len(findings) - errors, "warning")]
    return f"{', '.join(part for part in parts if part)} in {_counted(files, 'file')}"


def _counted(number: int, noun: str) -> str:
    return "" if not number else f"{number} {noun}{'s' if number > 1 else ''}"
