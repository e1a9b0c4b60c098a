"""Checks files and reports all findings of all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema import check
from schema.audit import Audit
from schema.colour import is_wanted
from schema.errors import InputError
from schema.errors import NoPresetError
from schema.exits import Exit
from schema.exits import say
from schema.exits import tell
from schema.exits import warn
from schema.findings import Finding
from schema.findings import Severity
from schema.findings import merged
from schema.hook import in_hook
from schema.hook import is_of_another_tool
from schema.layouts.preset import Kind
from schema.place import Place
from schema.place import shown
from schema.report import report
from schema.resolve import Workspace
from schema.resolve.graph import yaml_files
from schema.shelltext import SUFFIXES as SCRIPTS
from schema.shelltext import is_script
from schema.yamltext.document import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from schema.layouts.preset import Preset


#: What names standard input among files; `./-` is a file.
_STDIN = "-"
#: Files from which on a bar shows the progress, and files that are passed over and named.
_MANY, _NAMED = 50, 5


class _Call:
    """One call: what was found so far, and in which presets."""

    def __init__(self, options: check.Options, workspace: Workspace) -> None:
        self._workspace = workspace
        self._options = options
        self._audit = Audit(self._workspace, options)
        self._found: list[Finding] = []
        self._checked: set[str] = set()
        self._bases: set[Path] = set()
        self._silencing: list[Preset] = []
        self._doubts: dict[str, None] = {}
        self.foreign: list[Path] = []
        self.unreadable = False

    def add(self, file: Path, *, named: bool) -> None:
        """Checks one file, by its absolute path; what keeps it from being checked is a finding of it.

        A file that nobody named is passed over if it is no preset.
        """
        if str(file) in self._checked:
            return
        try:
            self._check(file, named=named)
        except InputError as error:
            if not named and is_of_another_tool(file, self._audit):
                self.foreign.append(file)
            elif error.place is None:  # it is about the call, not about a file
                self.unreadable = True
                say(error)
            else:
                self.unreadable = True
                self._found.append(unreadable(error, file))

    def _check(self, file: Path, *, named: bool) -> None:
        preset = check.load(self._workspace, file)
        if not self._audit.is_foreign(preset):
            self._checked.add(str(file))
            self._note(preset)
            self._found += self._audit.of(preset)
            self._let_go(preset)
            if named and self._is_stray(preset):
                tell(f"{shown(file)} is only a part of a preset, and nothing extends it: it was checked as a part")
        elif named and preset.kind is Kind.COMPONENT:
            nothing = "is no GRPO preset: it says nothing of rollouts, and no preset extends it"
            raise NoPresetError(nothing, preset.start)
        elif named:
            raise check.no_grpo(preset)
        else:
            self.foreign.append(file)

    def _note(self, preset: Preset) -> None:
        """Keeps of a preset what is asked at the end."""
        self._doubts |= dict.fromkeys(check.doubts([preset], self._options))
        self._bases.update(preset.resolved.bases)
        if self._audit.silences(preset):
            self._silencing.append(preset)

    def _let_go(self, preset: Preset) -> None:
        """Forgets files that no other preset has extended yet, so that memory does not grow with their number."""
        for file in preset.resolved.files if preset.apart else (preset.resolved.path,):
            if file not in self._bases:
                self._workspace.forget(file)

    def _is_stray(self, preset: Preset) -> bool:
        """Whether a file is a part of presets, and none extends it: a forgotten `extends`, maybe."""
        file = preset.resolved.path
        return preset.kind is Kind.COMPONENT and not is_script(file) and not any(self._audit.extending(file))

    def add_extending(self, file: Path) -> None:
        """Checks the presets that extend a file: a change of it may break them."""
        for each in self._audit.extending(file) if file.is_file() else ():
            self.add(each, named=False)

    @property
    def checked(self) -> bool:
        """Whether any file was a preset, or was to be one."""
        return bool(self._checked or self._found or self.unreadable)

    def findings(self) -> list[Finding]:
        """All findings, each once, and the silencers that nothing needed."""
        for doubt in self._doubts:
            warn(doubt)
        unused = (each for preset in self._silencing for each in self._audit.unused(preset))
        found = merged([*self._found, *unused])
        files = {file: number for number, file in enumerate(dict.fromkeys(each.place.file for each in found))}
        return sorted(found, key=lambda finding: (files[finding.place.file], finding.place, finding.rule))


def validate(files: Sequence[str], options: check.Options, form: str, colour: str) -> Exit:
    """Checks every file and prints what was found.

    A folder stands for the presets in it, and `-` for one on standard input. A hook (PRE_COMMIT is set) passes
    files of all kinds, and a base may be all that a commit changes: what extends it is checked, too.
    The form is one of schema.report.FORMATS, the colour auto, always or never.
    """
    call = _Call(options, workspace_of(files))
    for name, named in _with_progress(list(_wanted(files))):
        file = Path(name)
        call.add(file, named=named)
        if in_hook():
            call.add_extending(file)
    found = call.findings()
    if not in_hook():
        _tell_of_others(call.foreign, checked=call.checked)
    if output := report(found, form, coloured=is_wanted(colour, sys.stdout)):
        print(output)
    if call.unreadable:
        return Exit.USAGE
    return Exit.FINDINGS if any(finding.is_error for finding in found) else Exit.OK


def workspace_of(files: Sequence[str]) -> Workspace:
    """What reads the files of a call: standard input once, where `-` names it."""
    return Workspace({absolute(_STDIN): sys.stdin.buffer.read(MAX_SIZE + 1)} if _STDIN in files else None)


def _wanted(files: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The files of a call, and whether a person named them; their names alone, since there may be thousands."""
    for file in map(_absolute, files):
        if os.path.isdir(file):  # noqa: PTH112 - False for a name that is too long
            found = yaml_files(Path(file), projects=True, more=SCRIPTS)
            yield from ((str(each), False) for each in found)
        else:
            yield file, not in_hook()


def _with_progress(files: list[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """The files, with a bar on a terminal that would stay silent for long."""
    if len(files) < _MANY or not sys.stderr.isatty():
        yield from files
        return
    with click.progressbar(files, label="checking", file=sys.stderr) as bar:
        yield from bar


def _tell_of_others(files: Sequence[Path], *, checked: bool) -> None:
    names = ", ".join(shown(file) for file in files[:_NAMED])
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    if files:
        tell(f"passed over, because they are no GRPO presets: {names}{more}")
    elif not checked:
        tell("there is no preset in the folder")


def unreadable(error: InputError, preset: Path) -> Finding:
    """The finding that a preset cannot be read; the error may be one of its base."""
    return Finding(error.rule, Severity.ERROR, error.place or Place(preset), error.message, presets=(preset,))


def absolute(file: str | Path) -> Path:
    """An absolute path without `..`, links not followed: findings name files as the user does.

    Raises:
        InputError: it is relative, and the working directory is gone.
    """
    return Path(_absolute(file))


def _absolute(file: str | Path) -> str:
    try:
        return os.path.abspath(file)  # noqa: PTH100 - without `..`
    except FileNotFoundError as error:
        raise InputError("the working directory is gone; change into it again") from error
