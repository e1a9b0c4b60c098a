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
from schema.shelltext import is_script
from schema.yamltext.comments import BREAK
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
_SILENCER = rf"(?i)#\s*{_MARK}\s*ignore\b(?:\s*\[([^]]*)\])?"
_RULE = r"[^\s,]+"
_NOTHING = r"\s*(#.*)?"


class Silencer(NamedTuple):
    """A comment that silences a rule: in its own line, and, alone in a line, in the next one that says something.

    Attributes:
        rule: the rule's id, or nothing where the comment names none.
        place: where the comment names it.
        lines: the lines whose findings it silences.
    """

    rule: str
    place: Place
    lines: tuple[int, ...]


class Silence:
    """What is silenced in the files of a call, and what of it was needed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._files: dict[Path, tuple[Silencer, ...]] = {}
        self._used: set[Silencer] = set()

    def of(self, found: Iterable[Finding], project: Project) -> list[Finding]:
        """The findings that nobody silenced."""
        return [each for each in found if not (self._by_comment(each) or _by_project(each, project))]

    def has(self, file: Path) -> bool:
        """Whether a file has silencers."""
        return bool(self._in(file))

    def unused(self, file: Path, known: Collection[str]) -> Iterator[Finding]:
        """A warning for each silencer of a file that silenced nothing so far.

        Args:
            file: a preset that was checked.
            known: the ids of all rules.
        """
        near = Near()
        for silencer in self._in(file):
            if silencer not in self._used:
                message = _useless(silencer.rule, known, near)
                yield Finding(UNUSED, Severity.WARNING, silencer.place, message, "", "remove it", (), (file,))

    def _by_comment(self, finding: Finding) -> bool:
        place = finding.place
        of_rule = (each for each in self._in(place.file) if each.rule == finding.rule)
        heard = [each for each in of_rule if place.line in each.lines]
        self._used.update(heard)
        return bool(heard)

    def _in(self, file: Path) -> tuple[Silencer, ...]:
        if file not in self._files:
            document = self._workspace.document(file)
            if _MARK not in document.text.lower():  # as in most files, of which there may be thousands
                return ()
            self._files[file] = tuple(silencers(document))
        return self._files[file]


def _useless(rule: str, known: Collection[str], near: Near) -> str:
    if not rule:
        return f"this comment silences nothing: write `# {_MARK} ignore[rule] reason`"
    if rule in known:
        return f"ignore[{rule}] silences nothing"
    other = near(rule, known)
    guess = f"; did you mean {other}?" if other else ""
    return f"ignore[{rule}] silences nothing: there is no rule {rule!r}{guess}"


def silencers(document: Document) -> Iterator[Silencer]:
    """The silencers of a file; what stands in a value is none."""
    text = document.text
    for offset, comment in _comments(document):
        before = re.split(BREAK, text[:offset])
        lines = tuple(_silenced(text[offset:], before))
        for found in re.finditer(_SILENCER, comment):
            names = list(re.compile(_RULE).finditer(comment, *found.span(1))) if found[1] else []
            for name in names or [found]:
                column = len(before[-1]) + name.start() + 1
                place = Place(document.path, len(before), column, len(before), column + len(name[0]))
                yield Silencer(name[0] if names else "", place, lines)


def _comments(document: Document) -> list[tuple[int, str]]:
    path = document.path
    if not is_script(path):
        return placed(document)
    from schema.shelltext.script import comments  # noqa: PLC0415 - nothing else of a call without scripts needs it

    return comments(path, document.text)


def _silenced(rest: str, before: list[str]) -> Iterator[int]:
    """The lines that a comment is about, given the text from it on and the lines up to it."""
    yield len(before)
    if before[-1].strip():
        return
    for number, line in enumerate(re.split(BREAK, rest)):
        if not re.fullmatch(_NOTHING, line):
            yield len(before) + number
            if not line.endswith("\\"):  # a call of a script goes on behind a backslash
                return


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
