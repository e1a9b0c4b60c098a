"""What a rule has to say about a preset."""

from __future__ import annotations

from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from schema.place import Place

#: Findings of one rule in one file that are shown; the others are counted.
MOST = 100
#: Findings of one rule that are counted: some take long to find.
COUNTED = 2000


class Severity(Enum):
    """An error fails the check; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One thing that is wrong with a preset, or with the machine it is to run on.

    Attributes:
        rule: the id of the rule that found it.
        severity: error or warning.
        place: the value that is wrong, in the file that set it.
        message: what is wrong, with the values that show it.
        consequence: what ms-swift or vLLM would have done with it.
        fix: the smallest change that mends it.
    """

    rule: str
    severity: Severity
    place: Place
    message: str
    consequence: str = ""
    fix: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the finding fails the check."""
        return self.severity is Severity.ERROR


def bounded(found: Iterable[Finding]) -> list[Finding]:
    """The findings of one rule: of each file the first ones, and one that says how many are left out."""
    files: dict[Path, list[Finding]] = {}
    for finding in islice(found, COUNTED):
        files.setdefault(finding.place.file, []).append(finding)
    return [finding for each in files.values() for finding in [*each[:MOST], *_others(each[MOST:])]]


def _others(left: list[Finding]) -> list[Finding]:
    if len(left) < 2:
        return left
    severity = Severity.ERROR if any(finding.is_error for finding in left) else Severity.WARNING
    least = "at least " if len(left) == COUNTED - MOST else ""
    message = f"{least}{len(left)} more of these are left out"
    return [left[0]._replace(severity=severity, message=message, consequence="", fix="")]
