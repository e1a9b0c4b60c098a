"""Which edits turn one file of a server-mode preset into its share of a colocate preset: the way back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from migrate import document as text
from migrate.direction import DATA
from migrate.direction import FITTED
from migrate.direction import LENGTH
from migrate.direction import LORA
from migrate.direction import SHARE
from migrate.direction import TENSOR
from migrate.direction import Direction
from migrate.direction import mask
from migrate.edits import KEEP
from migrate.edits import Add
from migrate.edits import Move
from migrate.edits import Prune
from migrate.edits import Remove
from migrate.target import DEFAULT_TENSOR
from migrate.target import Bases
from migrate.to_server import DROPPED
from migrate.to_server import ORDER
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import SERVER_BLOCK
from schema.preset import Setting
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.roles import ROLES
from schema.roles import UNREAD_IN_COLOCATE
from schema.roles import Misplaced
from schema.roles import Role
from schema.roles import fields
from schema.roles import role_of
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from migrate.edits import Edit
    from schema.preset import Preset
    from schema.resolve import Tree

#: Share of a GPU's memory that an engine gets at most beside a learner, unless the caller says otherwise:
#: ms-swift's own default, 0.9, leaves a learner none.
MOST = 0.5
#: Settings of a connection; vllm_mode and use_vllm have their own place.
ADDRESS = tuple(name for name in fields(Role.CONNECT) if name.startswith("vllm_server_"))

ACTS = "the learner's own engine acts on it"
UNREAD = "nothing reads it in colocate mode; kept for the next time in server mode"
SAID_BY_CALLER = "the caller's value counts"
REASONS = {
    SHARE: f"engine and learner share the GPU, so at most {MOST}; what it was before server mode is not known",
    TENSOR: "an engine spans as many GPUs as before, and the learners must be a multiple of it",
    LENGTH: "without it the engine takes the model's own length",
}
_HIDDEN = "the base's value counts again"


class ToColocate(Direction):
    """From server mode to colocate mode."""

    mode = "colocate"
    why = (
        "the engine comes back to the learner's GPUs; sleep_level and offloading that it may have had before"
        " are not known"
    )

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
        used = before.mode != "colocate" and below.mode != "colocate"
        block = after.block if used else None
        children = block.children if isinstance(block, Branch) else {}
        section = ".".join(SERVER_BLOCK)
        said = [(str(name), tree) for name, tree in children.items() if data(tree) is not None]
        return [*found, *(Setting(section, name, data(tree), tree.place, tree.key) for name, tree in said)]

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        engine = list(self._engine())
        block = [*self._unmasked(), *engine, *self._emptied(engine), *self._masked()]
        return [*self.set_mode(), *self._address(), *block]

    def _address(self) -> Iterator[Edit]:
        for setting in self.part.settings():
            if why := needs_server(setting):
                yield Remove(setting.steps, why)
        for setting in self.part.inherited():
            if why := needs_server(setting):
                yield mask(setting, why)

    @cached_property
    def _masks(self) -> dict[tuple[str, str], object]:
        # Nulls that keep a base's settings from a learner in server mode, and what the base says.
        found = {}
        for section in ARGUMENT_SECTIONS if self.part.leaves else ():
            own = self.part.own.find(section)
            for name, tree in own.children.items() if isinstance(own, Branch) else ():
                hidden = self.part.below.tree.value(section, name)
                if data(tree) is None and hidden is not None and self._moved_away(str(name)):
                    found[(section, str(name))] = hidden
        return found

    def _moved_away(self, name: str) -> bool:
        role, block = role_of(name), self.part.preset.tree.find(*SERVER_BLOCK, name)
        return role is Role.COLOCATE or (role is Role.SERVER and (block is not None or name in DROPPED))

    def _unmasked(self) -> Iterator[Edit]:
        for path in self._masks:
            yield Remove(path, _HIDDEN)

    @cached_property
    def _block(self) -> dict[str, object]:
        return {name: data(tree) for name, tree in self._entries(self.part.own.find(*SERVER_BLOCK))}

    @cached_property
    def _inherited(self) -> dict[str, object]:
        # Entries of a block that stays in a base, and is masked.
        block, mode = self.part.below.block, self.part.below.mode
        if not self.part.leaves or self.part.target.bases is not Bases.MASK or block is None or mode == "colocate":
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
        if not (self.part.leads and self.part.leaves):
            return {}
        return {SHARE: MOST, **self._wanted}

    @cached_property
    def _wanted(self) -> dict[str, object]:
        # What the caller says; of the length only if it is enough.
        target = self.part.target
        length = target.length(self.part.needed) if target.max_model_len and self.part.leaves else None
        said = {TENSOR: target.tensor_parallel, SHARE: target.gpu_memory_utilization, LENGTH: length}
        return {name: value for name, value in said.items() if value is not None}

    def _entry(self, name: str, after: str | None) -> Iterator[Edit]:
        if name in self._block:
            yield from self._moved(name, self._block[name], after)
        elif name in self._inherited:
            if not self._lost(name, self._inherited[name]):
                value = self._new_value(name, self._inherited[name])
                yield Add(("rlhf", name), value, self._reason(name), after)
        elif self.part.after.value(name) is None:
            yield Add(("rlhf", name), self._completed()[name], self._reason(name), after)

    def _moved(self, name: str, value: object, after: str | None) -> Iterator[Edit]:
        path, to = (*SERVER_BLOCK, name), ("rlhf", name)
        if lost := self._lost(name, value):
            yield Remove(path, f"not carried: {lost}")
            return
        if to not in self._masks and self.part.says_null(to):
            yield Remove(to, "the server's block has its value")
        new = self._new_value(name, value)
        yield Move(path, to, self._reason(name), KEEP if same(new, value) else new, after)

    def _new_value(self, name: str, value: object) -> object:
        if name == SHARE and name not in self._wanted and isinstance(value, int | float):
            return min(value, MOST)
        return self._wanted.get(name, value)

    def _reason(self, name: str) -> str:
        if name in self._wanted:
            return SAID_BY_CALLER
        return UNREAD if name in UNREAD_IN_COLOCATE else REASONS.get(name, ACTS)

    def _lost(self, name: str, value: object) -> str | None:
        # Why an entry of the block does not come back, if it does not.
        hidden = [base for (_, masked), base in self._masks.items() if masked == name]
        reasons = {
            "nothing reads it in colocate mode": not self.part.leaves,
            "only a server takes it": role_of(name) is not Role.SERVER,
            "the learner's arguments of this file say it already": name in self._said,
            _HIDDEN: any(name in (*FITTED, LORA) or same(base, value) for base in hidden),
            SAID_BY_CALLER: name in self._wanted and not self.part.leads,
            "it says nothing": value is None and self.part.below.tree.find("rlhf", name) is None,
            "every engine of colocate mode has learners of its own": name == DATA,
            "it is the default": self._is_default(name, value),
            "--to server adds it; global_max_length counts": self._is_added_length(name, value),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    @cached_property
    def _said(self) -> set[str]:
        return {setting.name for setting in self.part.settings()}

    def _is_default(self, name: str, value: object) -> bool:
        default = same(value, {TENSOR: DEFAULT_TENSOR, LORA: False}.get(name, KEEP))
        return default and self._speaks_alone(name)

    def _is_added_length(self, name: str, value: object) -> bool:
        if name != LENGTH or self.part.preset.limit is None or not self.part.leaves:
            return False
        inherited = self.part.was_below.tree.value(*SERVER_BLOCK, LENGTH)
        adds = inherited is None or self.part.too_short(inherited)
        return adds and same(value, self.part.target.length(self.part.needed)) and self._speaks_alone(name)

    def _speaks_alone(self, name: str) -> bool:
        # No base says otherwise, nor the caller, and nobody wrote a comment about it.
        said = name in self._wanted or self.part.below.tree.find("rlhf", name) is not None
        return not said and not self._comments((*SERVER_BLOCK, name))

    def _emptied(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        if self.part.own.find(*SERVER_BLOCK) is None or not (self.part.leaves or self._block):
            return
        path: tuple[str, ...] = SERVER_BLOCK
        while len(path) > 1 and not self._inherited and self._holds_nothing_else(path[:-1]):
            path = path[:-1]
        if path == ("custom",) and not self._spares_custom(edits):
            path = SERVER_BLOCK[:2]
        yield Prune(path, "nothing is left in it")

    def _holds_nothing_else(self, path: tuple[str, ...]) -> bool:
        # Not even a comment.
        branch = self.part.own.find(*path)
        alone = isinstance(branch, Branch) and len(branch.children) == 1
        return alone and len(self._comments(path)) == len(self._comments(SERVER_BLOCK))

    def _comments(self, path: tuple[str, ...]) -> list[str]:
        document = self.part.context.workspace.document(self.part.path)
        return text.comments_of(document, path) if text.find(document, path) is not None else []

    def _masked(self) -> Iterator[Edit]:
        if self._inherited:
            yield Add(SERVER_BLOCK, None, f"hides the block of {self._base_of_block}: no server is started")

    @property
    def _base_of_block(self) -> str:
        block = self.part.below.block
        assert block is not None
        return block.key.file.name

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
