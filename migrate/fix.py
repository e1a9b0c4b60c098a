"""`migrate-config --fix`: makes the edits that findings carry, until none carries one that can be made."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrate.compare import Old
from migrate.compare import compare
from migrate.migration import Migration
from migrate.nested.part import is_whole
from migrate.plan import Plan
from migrate.plan import distinct
from migrate.plan import overlaid
from migrate.proof import prove
from migrate.refusals import options
from migrate.refusals import refuse_json
from migrate.refusals import refuse_large
from migrate.refusals import refuse_left_behind
from migrate.refusals import refuse_unplanned
from migrate.target import Bases
from migrate.yamledit.lookup import dotted
from migrate.yamledit.splices import place_of
from migrate.yamledit.steps import apply
from migrate.yamledit.steps import refuse_many
from schema.audit import Audit
from schema.check import NO_PRESETS
from schema.check import doubts
from schema.check import load
from schema.check import no_grpo
from schema.errors import InputError
from schema.layouts.preset import Kind
from schema.place import Place
from schema.place import shown
from schema.resolve import Branch
from schema.resolve import Workspace
from schema.shelltext import is_script
from schema.yamltext.edit import Change
from schema.yamltext.edit import Remove
from schema.yamltext.edit import Rename

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.target import Target
    from migrate.yamledit.steps import Step
    from schema.layouts.preset import Preset
    from schema.yamltext import Document
    from schema.yamltext.edit import Edit
    from schema.yamltext.edit import Path as Keys

    #: A key of a file.
    _Where = tuple[Path, Keys]


def plan_fixes(paths: Sequence[Path], target: Target) -> Plan:
    """Plans the edits with which findings of presets, named by absolute paths, can be fixed.

    Raises:
        InputError: a file cannot be read, is a script or no preset, or a preset that is not named would change.
        ProofError: a defect: the new text is not what was planned.
    """
    old = Workspace()
    presets = [_fixable(old, path) for path in distinct(paths)]
    fixer = _Fixer(old, presets, target)
    fixer.run()
    migrations = fixer.migrations()
    for migration in migrations:
        prove([migration], migration.steps)
    new = overlaid(old, migrations)
    changed = [migration.path for migration in migrations if migration.changes]
    planned = [path for migration in migrations for path in migration.touched]
    for preset in presets:
        refuse_unplanned(preset, load(new, preset.resolved.path), planned)
    named = [preset.resolved.path for preset in presets if not preset.apart]
    refuse_left_behind(old, new, named, changed, "name every preset that extends this file in the same call")
    warnings = [*doubts(presets, options(target)), *fixer.warnings()]
    return Plan(migrations, _left(presets, old, new, target), warnings)


def _fixable(workspace: Workspace, path: Path) -> Preset:
    if is_script(path):
        raise InputError("is a script, which is read and never written; fix it by hand", Place(path))
    preset = load(workspace, path)
    if preset.kind in NO_PRESETS:
        raise no_grpo(preset)
    refuse_json(preset)
    refuse_large(workspace, preset)
    return preset


def _left(presets: Sequence[Preset], old: Workspace, new: Workspace, target: Target) -> dict[Path, list[Old]]:
    """By preset, the errors that it has afterwards, also those that nobody saw before."""
    before, after = Audit(old, options(target)), Audit(new, options(target))
    found = {}
    for preset in presets:
        now = load(new, preset.resolved.path)
        known, fresh = compare(preset, before.of(preset), now, after.of(now))
        left = [each for each in [*known, *(Old(each, each) for each in fresh)] if each.after.is_error]
        # What was not fixed cannot be, and why is in a warning.
        found[preset.resolved.path] = [Old(*(finding._replace(edits=()) for finding in each)) for each in left]
    return found


class _Fixer:
    """Fixes the files of a call, round by round: what one edit brings to light, the next round sees.

    It ends, because no edit undoes another one: a name that the release has stays, and nothing is added.
    """

    def __init__(self, workspace: Workspace, presets: Sequence[Preset], target: Target) -> None:
        self._options = options(target)
        self._paths = [preset.resolved.path for preset in presets]
        files = [file for preset in presets for file in _files(preset, target)]
        self._old = {file: workspace.document(file) for file in distinct(files)}
        self._new: dict[Path, Document] = dict(self._old)
        self._steps: list[Step] = []
        self._refused: dict[_Where, InputError] = {}
        self._elsewhere: Counter[Path] = Counter()

    def run(self) -> None:
        """Makes all edits."""
        while edits := self._edits():
            refuse_many(self._old, [*(step.edit for step in self._steps), *edits])
            for edit in edits:
                self._make(edit)

    def migrations(self) -> list[Migration]:
        """Each file before and after."""
        return [
            Migration(file, old, self._new[file], [step for step in self._steps if step.touches(file)])
            for file, old in self._old.items()
        ]

    def warnings(self) -> Iterator[str]:
        """What can be fixed, but was not."""
        for error in self._refused.values():
            yield f"not fixed: {error}"
        for file, number in self._elsewhere.items():
            what = "1 finding" if number == 1 else f"{number} findings"
            yield f"not fixed: {what} in {shown(file)}, which is not named; name it, too, or pass --include-bases"

    def _edits(self) -> list[Edit]:
        """The next edits: of those of the first kind that there is, all that can be made together.

        A name may decide what has an effect, so all names are right before anything is removed.
        """
        found = {(each.file, each.path): each for each in self._found()}
        left = [edit for where, edit in found.items() if where not in self._refused]
        self._elsewhere = Counter(edit.file for edit in left if edit.file not in self._new)
        here = [edit for edit in left if edit.file in self._new]
        kinds = ([edit for edit in here if isinstance(edit, kind)] for kind in (Rename, Change, Remove))
        return _apart(next(filter(None, kinds), []))

    def _found(self) -> list[Edit]:
        """The edits that findings carry; those with which a preset would mean something else are refused."""
        workspace = Workspace({file: document.content for file, document in self._new.items()})
        audit, presets = Audit(workspace, self._options), [load(workspace, path) for path in self._paths]
        found = [[edit for finding in audit.of(preset) for edit in finding.edits] for preset in presets]
        edits = [edit for own in found for edit in own]
        for preset, own in zip(presets, found, strict=True):
            for edit in edits:
                if (reason := _objection(workspace, preset, own, edit)) is not None:
                    place = place_of(workspace.document(edit.file), edit.path)
                    self._refused[edit.file, edit.path] = InputError(f"{dotted(edit.path)} {reason}", place)
        return edits

    def _make(self, edit: Edit) -> None:
        try:
            new, steps = apply(self._new, [edit])
        except InputError as error:
            self._refused[edit.file, edit.path] = error
        else:
            self._new, self._steps = new, [*self._steps, *steps]


def _files(preset: Preset, target: Target) -> Iterable[Path]:
    """The files of a preset that are fixed."""
    if preset.apart or target.bases is Bases.INCLUDE:
        return preset.resolved.files
    return (preset.resolved.path,)


def _objection(workspace: Workspace, preset: Preset, own: Sequence[Edit], edit: Edit) -> str | None:
    """Why an edit would change what a preset means that does not have it itself; None if it would not."""
    files, same = preset.resolved.files, {(each.file, each.path) for each in own}
    if isinstance(edit, Rename) and any(_becomes_one(edit, each) for each in own):
        return f"and another key of this file would both become {edit.name}"
    if (edit.file, edit.path) not in same and _reads(preset, edit):
        return f"may have an effect in {shown(preset.resolved.path)}, where it is no finding"
    if edit.file not in files or preset.apart:
        return None
    place = files.index(edit.file)
    others = files[place + 1 :] if isinstance(edit, Rename) else files[:place] if isinstance(edit, Remove) else ()
    for file in others:
        if (file, edit.path) not in same and _stands(workspace.tree(file), edit.path):
            return f"is set in {shown(file)}, too, which would count instead"
    return None


def _becomes_one(rename: Rename, other: Edit) -> bool:
    same = isinstance(other, Rename) and (other.file, other.name) == (rename.file, rename.name)
    return same and other.path != rename.path


def _stands(tree: Branch, path: Keys) -> bool:
    """Whether a file has a key, be it null."""
    holder = tree.find(*path[:-1])
    return isinstance(holder, Branch) and path[-1] in holder.children


def _reads(preset: Preset, edit: Edit) -> bool:
    """Whether a whole preset has the key of an edit from the file of the edit."""
    tree = preset.tree.find(*edit.path) if preset.kind is Kind.GRPO and is_whole(preset) else None
    return tree is not None and tree.key.file == edit.file


def _apart(edits: Iterable[Edit]) -> list[Edit]:
    """Edits of which none is within another one."""
    taken: list[Edit] = []
    for edit in edits:
        if not any(_overlap(edit, other) for other in taken):
            taken.append(edit)
    return taken


def _overlap(edit: Edit, other: Edit) -> bool:
    shorter = min(len(edit.path), len(other.path))
    return edit.file == other.file and edit.path[:shorter] == other.path[:shorter]
