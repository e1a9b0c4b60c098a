"""Which edits turn one file of a server-mode preset into its share of a colocate preset: the way back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from migrate.names import SHARE
from migrate.nested.carried import HIDDEN
from migrate.nested.carried import Carried
from migrate.nested.carried import came_back
from migrate.nested.carried import why_back
from migrate.nested.direction import Direction
from migrate.nested.direction import mask
from migrate.nested.to_server import ORDER
from migrate.target import Bases
from migrate.yamledit.edits import KEEP
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Prune
from migrate.yamledit.edits import Remove
from schema.layouts.nested import SERVER_BLOCK
from schema.layouts.preset import Setting
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split import decide
from schema.swift.roles import ROLES
from schema.swift.roles import Misplaced
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from migrate.nested.part import Part
    from migrate.yamledit.edits import Edit
    from schema.layouts.preset import Preset
    from schema.resolve import Tree

#: Settings of a connection; vllm_mode and use_vllm have their own place.
ADDRESS = tuple(name for name in fields(Role.CONNECT) if name.startswith("vllm_server_"))


class ToColocate(Direction):
    """From server mode to colocate mode."""

    mode = "colocate"
    why = "the engine returns to the learner's GPUs; its earlier sleep_level and offload settings are not known"

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._carried = Carried(part)

    @staticmethod
    def left(before: Preset, after: Preset, below: Preset) -> list[Setting]:
        """Another mode, what would connect to a server or needs one; the server's block if it was in use."""
        found = [
            setting
            for setting in after.arguments.values()
            if (setting.name == "vllm_mode" and setting.value != "colocate")
            or (needs_server(setting) and ROLES[setting.name].misplaced is Misplaced.CONNECTS)
            or (needs_server(setting) and setting.name not in ADDRESS)
        ]
        used = before.explicit_mode != "colocate" and below.explicit_mode != "colocate"
        block = after.block if used else None
        children = block.children if isinstance(block, Branch) else {}
        section = ".".join(SERVER_BLOCK)
        entries = [(str(name), tree) for name, tree in children.items() if data(tree) is not None]
        return [*found, *(Setting(section, name, data(tree), tree.place, tree.key) for name, tree in entries)]

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        engine = list(self._engine())
        block = [*self._unmasked(), *engine, *self._emptied(engine), *self._masked()]
        edits = [*self.set_mode(), *self._address(), *block]
        edits += self.set_given(edits)
        return [*edits, *self.batch()]

    def given(self) -> dict[tuple[str, ...], object]:
        """What the caller gives of the engine, by path."""
        arguments = self.part.preset.arguments
        given = self._carried.wanted.items()
        return {arguments[name].steps if name in arguments else ("rlhf", name): value for name, value in given}

    def _address(self) -> Iterator[Edit]:
        for setting in self.part.settings:
            if why := needs_server(setting):
                yield Remove(setting.steps, why)
        for setting in self.part.inherited():
            if why := needs_server(setting):
                yield mask(setting, why)

    def _unmasked(self) -> Iterator[Edit]:
        for path in self._carried.masks:
            yield Remove(path, HIDDEN)

    @cached_property
    def _block(self) -> dict[str, object]:
        return {name: data(tree) for name, tree in self._entries(self.part.own.find(*SERVER_BLOCK))}

    @cached_property
    def _inherited(self) -> dict[str, object]:
        # Entries of a block that stays in a base, and is masked.
        if self._base_of_block is None:
            return {}
        entries = self._entries(self.part.after.block)
        return {name: data(tree) for name, tree in entries if tree.key.file != self.part.path}

    @staticmethod
    def _entries(block: Tree | None) -> list[tuple[str, Tree]]:
        children = block.children if isinstance(block, Branch) else {}
        return [(name, tree) for name, tree in children.items() if isinstance(name, str)]

    def _engine(self) -> Iterator[Edit]:
        after = "vllm_mode" if self.part.says_mode else None
        for name in sorted({**self._inherited, **self._block, **self._completed()}, key=_rank):
            for edit in self._entry(name, after):
                yield edit
                after = name if isinstance(edit, Move | Add) else after

    def _completed(self) -> dict[str, object]:
        if not (self.part.leads and self.part.changes_mode):
            return {}
        return {SHARE: decide.SHARED_SHARE, **self._carried.wanted}

    def _entry(self, name: str, after: str | None) -> Iterator[Edit]:
        if name in self._block:
            yield from self._moved(name, self._block[name], after)
        elif name in self._inherited:
            if not self._carried.lost(name, self._inherited[name]):
                value = came_back(name, self._inherited[name], self._carried.wanted)
                yield Add(("rlhf", name), value, why_back(name, self._carried.wanted), after)
        elif self.part.after.value(name) is None:
            yield Add(("rlhf", name), self._completed()[name], why_back(name, self._carried.wanted), after)

    def _moved(self, name: str, value: object, after: str | None) -> Iterator[Edit]:
        path, to = (*SERVER_BLOCK, name), ("rlhf", name)
        if lost := self._carried.lost(name, value):
            yield Remove(path, f"not carried over: {lost}")
            return
        if to not in self._carried.masks and self.part.says_null(to):
            yield Remove(to, "the server's block has its value")
        new = came_back(name, value, self._carried.wanted)
        yield Move(path, to, why_back(name, self._carried.wanted), KEEP if same(new, value) else new, after)

    def _emptied(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        if self.part.own.find(*SERVER_BLOCK) is None or not (self.part.changes_mode or self._block):
            return
        path: tuple[str, ...] = SERVER_BLOCK
        while len(path) > 1 and self._base_of_block is None and self._holds_nothing_else(path[:-1]):
            path = path[:-1]
        if path == ("custom",) and not self._spares_custom(edits):
            path = SERVER_BLOCK[:2]
        yield Prune(path, "nothing is left in it")

    def _holds_nothing_else(self, path: tuple[str, ...]) -> bool:
        # Not even a comment.
        branch = self.part.own.find(*path)
        alone = isinstance(branch, Branch) and len(branch.children) == 1
        return alone and len(self.part.comments(path)) == len(self.part.comments(SERVER_BLOCK))

    def _masked(self) -> Iterator[Edit]:
        if (base := self._base_of_block) is not None:
            yield Add(SERVER_BLOCK, None, f"hides the block of {base}: no server is started")

    @cached_property
    def _base_of_block(self) -> str | None:
        # The base whose block would count again, if it stays as it is.
        block, mode = self.part.below.block, self.part.below.explicit_mode
        stays = self.part.changes_mode and self.part.target.bases is Bases.MASK and mode != "colocate"
        return block.key.file.name if stays and block is not None and data(block) is not None else None

    def _spares_custom(self, edits: Iterable[Edit]) -> bool:
        # Training repositories want the section, empty or not; a file wants at least one key.
        others = len(self.part.own.children) > 1 or any(isinstance(edit, Move) for edit in edits)
        return others and self.part.below.tree.find("custom") is not None


def _rank(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def needs_server(setting: Setting) -> str | None:
    """Why a setting is of no use without a server, if it is not."""
    if setting.name in ADDRESS:
        return "in colocate mode there is no server to connect to"
    if setting.name == "async_generate" and setting.value is not False:
        return "ms-swift refuses it without a server"  # 4.5.2, arguments/rlhf_args.py:454-458
    return None
