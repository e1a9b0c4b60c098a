"""Which edits turn one file of a colocate preset into its share of a server-mode preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.names import DATA
from migrate.names import FITTED
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import SHARE
from migrate.names import TENSOR
from migrate.nested.direction import Direction
from migrate.nested.direction import mask
from migrate.nested.direction import writes
from migrate.yamledit.edits import KEEP
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Remove
from migrate.yamledit.scalars import shown
from schema.layouts.nested import SERVER_BLOCK
from schema.split import decide
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.yamledit.edits import Edit
    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting

#: The order of the server's block: size and memory first, adapters last.
_FIRST = (TENSOR, DATA, LENGTH, SHARE)
ORDER = (*_FIRST, *(name for name in fields(Role.SERVER) if name not in (*_FIRST, LORA)), LORA)
#: What the block cannot do without, and what it gets besides when a preset leaves colocate mode.
REQUIRED = (TENSOR, DATA, LENGTH)
COMPLETE = (*REQUIRED, SHARE, LORA)

NEVER_READ = "in server mode only the rollout server acts on it"
COLOCATE_ONLY = "it acts in colocate mode only"
#: Engine settings that the server does not get.
DROPPED = {
    "vllm_max_lora_rank": "the rollout server loads no adapters",
    "vllm_pipeline_parallel_size": "`swift rollout` has no pipeline parallelism",
}


class ToServer(Direction):
    """From colocate mode to server mode."""

    mode = "server"
    why = "rollouts leave the learner's GPUs"

    @staticmethod
    def left(before: Preset, after: Preset, below: Preset) -> list[Setting]:  # noqa: ARG004 - the way back asks
        """Knobs that a learner in server mode never reads, and another mode."""
        return [
            setting
            for setting in after.arguments.values()
            if _unread(setting) or (setting.name == "vllm_mode" and setting.value != "server")
        ]

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        block = list(self._block())
        block += self._kept(block)
        block += self._longer(block)
        block += self._balanced(block)
        edits = [*self.set_mode(), *self._address(), *block]
        edits += self.set_given(edits)
        edits += [*self.batch(), *self._gone()]
        return [*edits, *(mask(setting, why) for setting in self.part.inherited() if (why := _unread(setting)))]

    def given(self) -> dict[tuple[str, ...], object]:
        """What the caller gives, by path: the server's settings with the DP that follows, and its address."""
        given: dict[tuple[str, ...], object] = {}
        given |= {(*SERVER_BLOCK, name): value for name, value in self.part.given_to_server().items()}
        return given | {("rlhf", name): value for name, value in self.part.target.connection(as_list=True).items()}

    def _address(self) -> Iterator[Edit]:
        if not self.part.leads:
            return
        wanted, after = self.part.target.address, "vllm_mode" if self.part.says_mode else None
        for name, value in {**wanted, "host": [wanted["host"]], "port": [wanted["port"]]}.items():
            key = f"vllm_server_{name}"
            if self.part.preset.tree.find("rlhf", key) is None:
                yield Add(("rlhf", key), value, "the learner connects there", after)
            elif self.part.own.find("rlhf", key) is None:
                continue
            after = key

    def _block(self) -> Iterator[Edit]:
        for name in ORDER:
            to = (*SERVER_BLOCK, name)
            edits = [self._moved(setting, to) for setting in self.part.settings if setting.name == name]
            edits += [self._copied(setting, to) for setting in self._to_copy(name)]
            if self.part.says_null(to) and any(isinstance(edit, Move) for edit in edits):
                yield Remove(to, "the learner's arguments of this file have its value")
            yield from edits
            missing = self.part.bases.find(*to) is None and not any(isinstance(edit, Move | Add) for edit in edits)
            if missing and name in self._completed():
                yield Add(to, *self._decided(name, self.part.preset.value(name)))

    def _moved(self, setting: Setting, to: tuple[str, ...]) -> Edit:
        path, name = setting.steps, setting.name
        winner = self.part.preset.arguments.get(name)
        if name in DROPPED:
            return Remove(path, DROPPED[name])
        if winner is None or winner.section != setting.section:
            return Remove(path, "a later section of the preset overrides it")
        if self.part.own.find(*to) is not None:
            return Remove(path, "the server's block of this file sets it already")
        if name in FITTED and self.part.changes_mode and not self.part.leads:
            return Remove(path, "it was for GPUs shared with the learner; the split's value counts")
        new, reason = self._decided(name, setting.value)
        kept = same(new, setting.value)
        return Move(path, to, NEVER_READ if kept else f"{NEVER_READ}; {reason}", KEEP if kept else new)

    def _to_copy(self, name: str) -> Iterator[Setting]:
        # What a masked base says to the engine, and the split does not.
        is_set = name in DROPPED or self.part.bases.find(*SERVER_BLOCK, name) is not None
        if is_set or (name in FITTED and self.part.changes_mode):
            return
        for setting in self.part.inherited():
            if setting == self.part.after.arguments.get(name):
                yield setting

    def _copied(self, setting: Setting, to: tuple[str, ...]) -> Edit:
        new, reason = self._decided(setting.name, setting.value)
        return Add(to, new, f"as in {setting.key.file.name}" if same(new, setting.value) else reason)

    def _decided(self, name: str, had: object) -> decide.Decision:
        return self.part.served(name, had, refit=self.part.changes_mode and name in self._completed())

    def _completed(self) -> tuple[str, ...]:
        if not self.part.leads:
            return ()
        return COMPLETE if self.part.changes_mode else REQUIRED

    def _kept(self, block: Sequence[Edit]) -> Iterator[Edit]:
        # What the engine had, where the blocks of migrated bases would merge to something else.
        for name in ORDER:
            had, gets = self.part.preset.value(name), self.part.bases.value(*SERVER_BLOCK, name)
            if gets is not None and not same(gets, had) and not self._is_decided(name, had, gets, block):
                yield self._keeps(name, had, gets)

    def _keeps(self, name: str, had: object, gets: object) -> Edit:
        to = (*SERVER_BLOCK, name)
        if had is not None or name == TENSOR:
            return Add(to, self._decided(name, had).value, f"as before; bases would make it {shown(gets)}")
        hidden = next((path for path in self.part.nulls() if path[-1] == name), None)
        if hidden is not None:
            return Move(hidden, to, f"hides {shown(gets)} of a base, as before")
        return Add(to, None, f"it was unset; without this null it would be {shown(gets)}")

    def _is_decided(self, name: str, had: object, gets: object, block: Iterable[Edit]) -> bool:
        # Whether the split decides on a setting, this file does, or a block that was there before.
        if name in (*FITTED, LORA, *DROPPED) or (name == LENGTH and (had is None or self.part.needs.fills(had))):
            return True
        if name == TENSOR and (not self.part.knows_mode or same(gets, self.part.tensor)):
            return True
        to = (*SERVER_BLOCK, name)
        return writes(block, to) or self.part.preset.tree.find(*to) is not None

    def _longer(self, block: Iterable[Edit]) -> Iterator[Edit]:
        # A block that is there, here or in a base, but that a prompt of this preset can fill.
        to = (*SERVER_BLOCK, LENGTH)
        if self.part.needs.fills(self.part.bases.value(*to)) and not writes(block, to):
            yield Add(to, *self._decided(LENGTH, None))

    def _balanced(self, block: Iterable[Edit]) -> Iterator[Edit]:
        # A child's own TP leaves another DP than its parent's for the same GPUs.
        to, own = (*SERVER_BLOCK, TENSOR), self.part.own.value(*SERVER_BLOCK, TENSOR)
        follows = self.part.changes_mode and not self.part.leads and (own is not None or writes(block, to))
        if not follows or self.part.own.find(*SERVER_BLOCK, DATA) is not None:
            return
        tensor = self.part.tensor
        data = decide.data_parallel(self.part.rollout, tensor)
        if not same(data, self.part.bases.value(*SERVER_BLOCK, DATA)):
            yield Add((*SERVER_BLOCK, DATA), data, f"{decide.SPLIT}, with {TENSOR} {tensor}")

    def _gone(self) -> Iterator[Edit]:
        for setting in self.part.settings:
            if role_of(setting.name) is Role.COLOCATE:
                yield Remove(setting.steps, COLOCATE_ONLY)


def _unread(setting: Setting) -> str | None:
    # Why a learner in server mode does not read a setting, if it does not.
    return {Role.SERVER: NEVER_READ, Role.COLOCATE: COLOCATE_ONLY}.get(role_of(setting.name) or Role.BOTH)
