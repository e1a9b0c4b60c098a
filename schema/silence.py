"""Silencers: `# rollout-split: ignore[rule] reason` in a file, and what the project's table ignores."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.findings import Finding
from schema.findings import Severity
from schema.near import Near
from schema.place import Place
from schema.yamltext.comments import placed

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from schema.resolve import Project
    from schema.resolve import Workspace
    from schema.yamltext import Document

#: What findings call a silencer that silences nothing.
UNUSED = "unused-ignore"
_MARK = "rollout-split:"
_SILENCER = re.compile(rf"#\s*{_MARK}\s*ignore\[([^]]*)\]")
_RULE = re.compile(r"[^\s,]+")
_NOTHING = re.compile(r"\s*(#.*)?")


class Silencer(NamedTuple):
    """A comment that silences a rule: in its own line, or alone in a line, in the next one that says something.

    Attributes:
        rule: the rule's id.
        place: where the comment names it.
        line: the line whose findings it silences.
    """

    rule: str
    place: Place
    line: int


class Silence:
    """What is silenced in the files of a call, and what of it was needed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._files: dict[Path, list[Silencer]] = {}
        self._used: set[Silencer] = set()

    def of(self, found: Iterable[Finding], project: Project) -> list[Finding]:
        """The findings that nobody silenced."""
        return [each for each in found if not (self._by_comment(each) or _by_project(each, project))]

    def unused(self, file: Path, known: Collection[str]) -> Iterator[Finding]:
        """A warning for each silencer of a file that silenced nothing so far.

        Args:
            file: a preset that was checked.
            known: the ids of all rules.
        """
        near = Near()
        for silencer in self._in(file):
            if silencer not in self._used:
                said = f"ignore[{silencer.rule}] silences nothing"
                if silencer.rule not in known:
                    other = near(silencer.rule, known)
                    said += f": there is no rule {silencer.rule!r}" + (f"; did you mean {other}?" if other else "")
                yield Finding(UNUSED, Severity.WARNING, silencer.place, said, "", "remove it", (), (file,))

    def _by_comment(self, finding: Finding) -> bool:
        place = finding.place
        heard = [each for each in self._in(place.file) if (each.rule, each.line) == (finding.rule, place.line)]
        self._used.update(heard)
        return bool(heard)

    def _in(self, file: Path) -> list[Silencer]:
        if file not in self._files:
            self._files[file] = list(silencers(self._workspace.document(file)))
        return self._files[file]


def silencers(document: Document) -> Iterator[Silencer]:
    """The silencers of a file; what stands in a value is none."""
    text = document.text
    for offset, comment in placed(document) if _MARK in text else ():
        line = text.count("\n", 0, offset) + 1
        for said in _SILENCER.finditer(comment):
            for name in _RULE.finditer(comment, *said.span(1)):
                column = offset + name.start() - text.rfind("\n", 0, offset)
                place = Place(document.path, line, column, line, column + len(name[0]))
                yield Silencer(name[0], place, _silenced(text, offset, line))


def _silenced(text: str, offset: int, line: int) -> int:
    """The line that a comment at an offset is about."""
    if text[text.rfind("\n", 0, offset) + 1 : offset].strip():
        return line
    rest = text[offset:].split("\n")
    return line + next((number for number, each in enumerate(rest) if not _NOTHING.fullmatch(each)), 0)


def _by_project(finding: Finding, project: Project) -> bool:
    settings = project.settings
    if finding.rule in settings.ignore:
        return True
    return any(
        finding.rule in rules and fnmatch(file.relative_to(project.root).as_posix(), pattern)
        for pattern, rules in settings.per_file_ignores.items()
        for file in (finding.place.file, *finding.presets)
        if project.root is not None and file.is_relative_to(project.root)
    )
