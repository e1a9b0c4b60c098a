"""One file of a call: what it says, what it inherits, and what its bases will say once they are migrated."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from functools import reduce
from typing import TYPE_CHECKING

from migrate.aim import Aim
from migrate.home import Home
from migrate.target import Bases
from migrate.yamledit.scalars import shown
from schema.check import load
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import SERVER_BLOCK
from schema.resolve import Branch
from schema.resolve import Resolved
from schema.resolve.extends import bases
from schema.resolve.tree import data
from schema.resolve.tree import merge
from schema.yamltext.edit import Add

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting
    from schema.resolve import Workspace


def below(workspace: Workspace, preset: Preset) -> Preset:
    """What the bases of a file say without it."""
    path = preset.resolved.path
    trees = [load(workspace, base).tree for base, _ in bases(path, workspace.tree(path))]
    tree = reduce(merge, trees, Branch({}, preset.start, preset.start))
    return replace(preset, resolved=Resolved(preset.resolved.path, preset.resolved.files, tree))


def is_whole(preset: Preset) -> bool:
    """Whether nothing is missing from a preset but the section `custom`, which the server's block brings."""
    return {path for path, _ in preset.missing()} <= {"custom"}


@dataclass(frozen=True, eq=False)
class Part(Aim):
    """One file of a call; `below` is what its bases, migrated already, say without it."""

    below: Preset

    @cached_property
    def learner(self) -> Home:
        """The section of GRPO arguments."""
        whose = "the learner's arguments of this file"
        return self._home("rlhf", says_it=f"{whose} set it already", has_it=f"{whose} have its value")

    @cached_property
    def server(self) -> Home:
        """The server's block."""
        says = "the server's block of this file sets it already"
        return self._home(*SERVER_BLOCK, says_it=says, has_it="the server's block has its value")

    def _home(self, *section: str, says_it: str, has_it: str) -> Home:
        document = self.context.workspace.document(self.path)
        return Home(document, section, self.own, self.after.tree, says_it, has_it)

    def listed(self, value: object) -> object:
        """As a list: values are passed as keywords."""
        return [value]

    def inherits(self, name: str) -> bool:
        """Whether bases say a setting of the learner."""
        return self.below.tree.find("rlhf", name) is not None

    @cached_property
    def was_below(self) -> Preset:
        """What the file's bases say without it, as they are now."""
        return below(self.context.workspace, self.preset)

    @property
    def is_whole(self) -> bool:
        """Whether the file is a whole preset."""
        return is_whole(self.preset)

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

    def mask(self, setting: Setting, why: str) -> Add:
        """A null that keeps an inherited setting from the file."""
        reason = f"hides {shown(setting.value)} of {setting.key.file.name}: {why}"
        return Add(setting.steps, None, reason, file=self.path)
