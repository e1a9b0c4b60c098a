"""What a rule has to say about a preset."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from pathlib import Path

    from schema.place import Place
    from schema.yamltext.edit import Edit

#: Findings of one rule in one file that are shown; the others are counted.
MOST = 100
#: Findings of one rule that are counted: some take long to find.
COUNTED = 2000


class Severity(Enum):
    """An error fails the check; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Related(NamedTuple):
    """A setting that a finding rests on.

    Attributes:
        text: the setting's name and value.
        place: where it is set.
    """

    text: str
    place: Place


class Excerpt(NamedTuple):
    """A line of a file as it may be shown: without secrets, printable, and not too long.

    Attributes:
        text: the line, or the part of it around the finding.
        caret: characters before the value that is wrong.
        width: characters of that value; 0 where secrets or escapes have moved it.
    """

    text: str
    caret: int
    width: int


class Finding(NamedTuple):
    """One thing that is wrong with a preset, or with the machine it is to run on.

    Attributes:
        rule: the id of the rule that found it.
        severity: error or warning.
        place: the value that is wrong, in the file that makes it wrong.
        message: what is wrong, with the values that show it.
        consequence: what ms-swift or vLLM would have done with it.
        fix: the smallest change that mends it.
        related: the settings that it rests on, whichever file sets them.
        presets: the presets that were checked and have it.
        excerpt: the line that is wrong, where it can be shown.
        edits: what makes the fix, where a program can make it.
    """

    rule: str
    severity: Severity
    place: Place
    message: str
    consequence: str = ""
    fix: str = ""
    related: tuple[Related, ...] = ()
    presets: tuple[Path, ...] = ()
    excerpt: Excerpt | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def advice(self) -> str:
        """The fix, and the command that makes it if one can."""
        return f"{self.fix} (`migrate-config --fix` does it)" if self.edits else self.fix

    @property
    def is_error(self) -> bool:
        """Whether the finding fails the check."""
        return self.severity is Severity.ERROR

    def moved(self, files: Mapping[Path, Path]) -> Finding:
        """The finding where its files have other names: by the old name, the new one."""

        def there(place: Place) -> Place:
            return place._replace(file=files.get(place.file, place.file))

        return self._replace(
            place=there(self.place),
            related=tuple(each._replace(place=there(each.place)) for each in self.related),
            presets=tuple(files.get(preset, preset) for preset in self.presets),
        )


def bounded(found: list[Finding]) -> list[Finding]:
    """The findings of one rule: of each file the first ones, and one that says how many are left out."""
    files: dict[Path, list[Finding]] = {}
    for finding in found:
        files.setdefault(finding.place.file, []).append(finding)
    return [finding for each in files.values() for finding in [*each[:MOST], *_others(each[MOST:])]]


def _others(left: list[Finding]) -> list[Finding]:
    if len(left) < 2:
        return left
    severity = Severity.ERROR if any(finding.is_error for finding in left) else Severity.WARNING
    least = "at least " if len(left) == COUNTED - MOST else ""
    message = f"{least}{len(left)} more of these are left out"
    place = left[0].place._replace(end_line=0, end_column=0)  # where the first of them begins; none is shown
    return [left[0]._replace(place=place, severity=severity, message=message, consequence="", fix="", edits=())]


def merged(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, with all presets that have it: a base that is wrong is wrong once."""
    same: dict[Finding, Finding] = {}
    for finding in found:
        key = finding._replace(related=(), presets=(), edits=())
        first = same.setdefault(key, finding)
        presets = tuple(dict.fromkeys([*first.presets, *finding.presets]))
        same[key] = first._replace(presets=presets)
    return list(same.values())
