"""One file of a call: what it says, what it inherits, and what its bases will say once they are migrated."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from functools import reduce
from typing import TYPE_CHECKING

from migrate.aim import Aim
from migrate.target import Bases
from migrate.yamledit import document as text
from schema.check import load
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.resolve import Branch
from schema.resolve.extends import bases
from schema.resolve.tree import data
from schema.resolve.tree import merge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting
    from schema.resolve import Workspace

MODE = ("rlhf", "vllm_mode")


def below(workspace: Workspace, preset: Preset) -> Preset:
    """What the bases of a file say without it."""
    path = preset.resolved.path
    trees = [load(workspace, base).tree for base, _ in bases(path, workspace.tree(path))]
    tree = reduce(merge, trees, Branch({}, preset.start, preset.start))
    return replace(preset, resolved=replace(preset.resolved, tree=tree))


def is_whole(preset: Preset) -> bool:
    """Whether nothing is missing from a preset but the section `custom`, which the server's block brings."""
    return {path for path, _ in preset.missing()} <= {"custom"}


@dataclass(frozen=True)
class Part(Aim):
    """One file of a call.

    Attributes:
        after: the file, resolved with those of its bases migrated that are in the call.
        below: what those bases say without it.
        leads: whether it is the first in its family, bases first, that knows vllm_mode: it gets what the
            whole family needs once.
        sets_mode: whether it has to say vllm_mode and does not: nothing says it, or only a base that stays.
    """

    after: Preset
    below: Preset
    leads: bool
    sets_mode: bool

    @cached_property
    def own(self) -> Branch:
        """What the file itself says."""
        return self.context.workspace.tree(self.path)

    @cached_property
    def was_below(self) -> Preset:
        """What the file's bases say without it, as they are now."""
        return below(self.context.workspace, self.preset)

    @property
    def bases(self) -> Branch:
        """The file's values, with its bases migrated already."""
        return self.after.tree

    @property
    def is_whole(self) -> bool:
        """Whether the file is a whole preset."""
        return is_whole(self.preset)

    @property
    def knows_mode(self) -> bool:
        """Whether the file by itself is a preset of the mode, or becomes one."""
        return self.says_mode or self.after.explicit_mode == self.target.to

    @property
    def says_mode(self) -> bool:
        """Whether vllm_mode stands in the file, or will."""
        return self.sets_mode or self.own.find(*MODE) is not None

    def says_null(self, path: tuple[str, ...]) -> bool:
        """Whether the file itself sets a key to null."""
        holder = self.own.find(*path[:-1])
        return isinstance(holder, Branch) and path[-1] in holder.children and holder.find(path[-1]) is None

    def comments(self, path: tuple[str, ...]) -> list[str]:
        """The comments that belong to a key of the file; none if it is not there."""
        document = self.context.workspace.document(self.path)
        return text.comments_of(document, path) if text.find(document, path) is not None else []

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """The ms-swift arguments that the file itself sets."""
        said = (setting for setting in self.preset.settings() if setting.key.file == self.path)
        return tuple(setting for setting in said if setting.value is not None and not self.preset.owned(setting))

    def nulls(self) -> Iterator[tuple[str, str]]:
        """The paths of ms-swift arguments that the file itself sets to null."""
        for section in ARGUMENT_SECTIONS:
            own = self.own.find(section)
            for name, tree in own.children.items() if isinstance(own, Branch) else ():
                if data(tree) is None:
                    yield section, str(name)

    def inherited(self) -> Iterator[Setting]:
        """The ms-swift arguments that stay in bases and reach the file, or will once its own are taken out.

        None unless they are to be masked: they are refused, or their bases are in the call.
        """
        for setting in self.below.settings() if self.target.bases is Bases.MASK else ():
            if self.after.tree.find(*setting.steps) is not None and not self.preset.owned(setting):
                yield setting
