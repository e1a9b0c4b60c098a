"""Judges presets: every rule, the file that is to blame, and what is silenced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema import secrets
from schema.blame import Alone
from schema.blame import Settings
from schema.blame import blamed
from schema.check import NO_PRESETS
from schema.check import context
from schema.check import load
from schema.checkpoint import Configs
from schema.errors import InputError
from schema.errors import ProjectError
from schema.excerpts import Excerpts
from schema.findings import Severity
from schema.layouts.preset import Kind
from schema.place import Place
from schema.resolve import find_project
from schema.resolve.graph import graph
from schema.rules import RULES
from schema.rules.base import applying
from schema.shelltext import is_script
from schema.silence import UNUSED
from schema.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from schema.check import Options
    from schema.context import Context
    from schema.findings import Finding
    from schema.layouts.preset import Preset
    from schema.resolve import Workspace


_SUGGESTED = r"did you mean ([\w.]+)\?"


class Audit:
    """Judges the presets of one call: a base that many extend is judged once."""

    def __init__(self, workspace: Workspace, options: Options) -> None:
        self._workspace = workspace
        self._options = options
        self._configs = Configs()
        self._silence = Silence(workspace)
        self._by_file: dict[Path, Alone] = {}

    def of(self, preset: Preset) -> list[Finding]:
        """All findings of a preset, in the order of files and lines; none for a file that is no preset.

        Raises:
            InputError: the target release is not in the catalogue, or the project ignores a rule that is none.
        """
        if preset.kind in NO_PRESETS:
            return []
        abouts = [context(self._workspace, run, self._options, self._configs) for run in preset.runs]
        found = [finding for about in abouts for finding in self.findings(about)]
        if any(finding.rule == "missing-key" for finding in found) and self._is_extended(preset):
            # A base need not be whole: what it lacks is asked of the presets that extend it.
            found = [finding for finding in found if RULES[finding.rule].components]
        return found

    def is_foreign(self, preset: Preset) -> bool:
        """Whether a file is no preset: of another algorithm, of another tool, or a part that no preset extends."""
        if preset.kind is not Kind.COMPONENT:
            return preset.kind in NO_PRESETS
        return not preset.is_of_rollouts and not any(self.extending(preset.resolved.path))

    def extending(self, file: Path) -> Iterator[Path]:
        """The presets of a file's project that extend it, directly or not; each is read when it is asked for."""
        if not is_script(file):
            root = find_project(file).root or file.parent
            yield from filter(self.is_preset, graph(self._workspace, root).dependents(file))

    def findings(self, about: Context) -> list[Finding]:
        """The same for a preset whose context is known, and that is whole.

        Each finding knows what it rests on and which preset has it, and stands in the file that makes it.
        """
        preset = about.preset
        _refuse_unknown(preset)
        if not (raw := _raw(about)):
            return []
        settings = Settings(preset)
        found = [
            blamed(each, preset, settings, RULES[each.rule].needs, self._workspace, self._alone)
            for each in _whole(raw, about, settings)
        ]
        heard = self._shown(self._silence.of(found, preset.project), preset)
        return sorted(heard, key=lambda finding: (finding.place, finding.rule))

    def unused(self, preset: Preset) -> Iterator[Finding]:
        """Warnings about the comments of a preset's own files that have silenced nothing so far."""
        for file in _own(preset):
            unused = self._silence.of(self._silence.unused(file, RULES), preset.project)
            yield from self._shown(unused, preset)

    def silences(self, preset: Preset) -> bool:
        """Whether a preset's own files have such comments, so that `unused` may have something to say of them."""
        return any(map(self._silence.has, _own(preset)))

    def _shown(self, found: Iterable[Finding], preset: Preset) -> Iterator[Finding]:
        """Findings of a preset with the lines that they are about."""
        excerpts = Excerpts(self._workspace, preset.secrets)
        return (finding._replace(excerpt=excerpts.of(finding.place)) for finding in found)

    def _is_extended(self, preset: Preset) -> bool:
        path = preset.resolved.path
        return bool(graph(self._workspace, preset.project.root or path.parent).direct(path))

    def is_preset(self, file: Path) -> bool:
        """Whether a file is a preset, or a part of one that is about rollouts; a broken one counts as one."""
        try:
            preset = load(self._workspace, file)
        except InputError:  # one that extends others, and is broken, is nearer to a preset than to another tool's
            return True
        return preset.kind is Kind.GRPO or (preset.kind is Kind.COMPONENT and preset.is_of_rollouts)

    def _alone(self, file: Path) -> Alone:
        if file not in self._by_file:
            self._by_file[file] = self._judged_alone(file)
        return self._by_file[file]

    def _judged_alone(self, file: Path) -> Alone:
        try:
            preset = load(self._workspace, file)
        except InputError:  # a base that is no preset by itself
            return Alone()
        if preset.kind in NO_PRESETS:
            return Alone()
        about = context(self._workspace, preset, self._options, self._configs)
        found = _whole(_raw(about), about, Settings(preset))
        return Alone(preset.kind is Kind.GRPO, frozenset((each.rule, each.place) for each in found))


def _own(preset: Preset) -> tuple[Path, ...]:
    """The files whose comments are asked of a preset; those of a part are asked of the presets that extend it."""
    if preset.kind is not Kind.GRPO:
        return ()
    return preset.resolved.files if preset.apart else (preset.resolved.path,)


def _raw(about: Context) -> list[Finding]:
    return [finding for rule in applying(about) for finding in rule.findings(about)]


def _whole(found: list[Finding], about: Context, settings: Settings) -> list[Finding]:
    """The same without secrets, and with the settings that each finding rests on."""
    known = about.preset.secrets
    whole = []
    for finding in found:
        if about.preset.is_silent(finding.place):
            finding = finding._replace(severity=Severity.WARNING)  # noqa: PLW2901 - the same finding, told milder
        if named := re.search(_SUGGESTED, finding.message):  # a misspelt name of a secret gives one away, too
            finding = _hidden(finding, settings, named[1])  # noqa: PLW2901 - the same finding without its value
        clean = secrets.without(finding, known, here=settings.is_secret(finding.place))
        rests_on = settings.related(finding)
        shown = tuple(each._replace(text=secrets.starred(each.text, known)) for each in rests_on)
        whole.append(clean._replace(related=shown, presets=(about.preset.resolved.path,)))
    return whole


def _hidden(finding: Finding, settings: Settings, meant: str) -> Finding:
    """A finding whose key was meant to have another name: if that is a secret's, its line is not shown."""
    if not secrets.is_secret(meant.rpartition(".")[2]):
        return finding
    settings.hide(finding.place)
    return finding._replace(place=finding.place._replace(end_line=0, end_column=0))


def _refuse_unknown(preset: Preset) -> None:
    settings, root = preset.project.settings, preset.project.root
    ignored = [*settings.ignore, *(rule for rules in settings.per_file_ignores.values() for rule in rules)]
    unknown = sorted({*ignored}.difference(RULES, [UNUSED]))
    if unknown and root is not None:
        raise ProjectError(
            f"[tool.rollout-split] ignores {', '.join(unknown)}; `validate-config --list-rules` lists the rules",
            Place(root / "pyproject.toml"),
        )
