"""Which edits turn one named file of a colocate preset into its share of a server-mode preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.edits import KEEP
from migrate.edits import Add
from migrate.edits import Change
from migrate.edits import Edit
from migrate.edits import Move
from migrate.edits import Remove
from migrate.target import DEFAULT_LENGTH
from schema.layouts.nested import SERVER_BLOCK
from schema.roles import Role
from schema.roles import fields
from schema.roles import role_of
from schema.rules.tokens import total_length
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from migrate.target import Target
    from schema.preset import Preset
    from schema.preset import Setting
    from schema.resolve import Branch
    from schema.rules import Context

TENSOR, DATA = "vllm_tensor_parallel_size", "vllm_data_parallel_size"
LENGTH, SHARE, LORA = "vllm_max_model_len", "vllm_gpu_memory_utilization", "vllm_enable_lora"
#: The order of the server's block: size and memory first, adapters last.
_FIRST = (TENSOR, DATA, LENGTH, SHARE)
ORDER = (*_FIRST, *(name for name in fields(Role.SERVER) if name not in (*_FIRST, LORA)), LORA)
#: What the block cannot do without, and what it gets besides when a preset leaves colocate mode.
_REQUIRED = (TENSOR, DATA, LENGTH)
_COMPLETE = (*_REQUIRED, SHARE, LORA)
#: Fitted to GPUs that engine and learner share; a child's own value would undo the split's.
_SHARED_GPUS = (TENSOR, DATA, SHARE)

_SPLIT = "the split's value"
_MERGED = "the server gets merged weights"
_NEVER_READ = "in server mode only the rollout server acts on it"
_DROPPED = {
    "vllm_max_lora_rank": "adapters are not loaded by the rollout server",
    "vllm_pipeline_parallel_size": "`swift rollout` has no pipeline parallelism",
}


class ToServer:
    """The edits of one named file.

    Attributes:
        preset: the file, resolved as it is now.
        own: what the file itself says.
        bases: the file, resolved with its named bases migrated already.
        splits: whether it leaves colocate mode; else only what stands in the wrong place is put right.
    """

    def __init__(self, context: Context, bases: Branch, target: Target, *, splits: bool, inherits: bool) -> None:
        self.preset: Preset = context.preset
        self.own = context.workspace.tree(self.preset.resolved.path)
        self.bases = bases
        self.splits = splits
        self._context = context
        self._target = target
        # The file that says vllm_mode, and not a base of it, gets address and block.
        self._owner = self.own.find("rlhf", "vllm_mode") is not None and not inherits

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        block = list(self._block())
        return [*self._mode(), *self._address(), *block, *self._longer(block), *self._gone()]

    def _mode(self) -> Iterator[Edit]:
        mode = self.own.leaf("rlhf", "vllm_mode")
        if mode is not None and mode.value != "server":
            yield Change(("rlhf", "vllm_mode"), "server", "rollouts leave the learner's GPUs")

    def _address(self) -> Iterator[Edit]:
        if not self._owner:
            return
        target, after = self._target, "vllm_mode"
        wanted = {"host": [target.host], "port": [target.port], "timeout": target.timeout}
        for name, value in wanted.items():
            key = f"vllm_server_{name}"
            if self.preset.tree.find("rlhf", key) is None:
                yield Add(("rlhf", key), value, "the learner connects there", after)
            elif self.own.find("rlhf", key) is None:
                continue
            after = key

    def _block(self) -> Iterator[Edit]:
        for name in ORDER:
            to = (*SERVER_BLOCK, name)
            edits = [self._moved(setting, to) for setting in self._settings() if setting.name == name]
            yield from edits
            missing = self.bases.find(*to) is None and not any(isinstance(edit, Move) for edit in edits)
            if missing and name in self._completed():
                yield Add(to, self._split_value(name), self._reason(name))

    def _settings(self) -> Iterator[Setting]:
        # The ms-swift arguments that this file itself sets.
        for setting in self.preset.settings():
            own = setting.key.file == self.preset.resolved.path
            if own and setting.value is not None and not self.preset.owned(setting):
                yield setting

    def _moved(self, setting: Setting, to: tuple[str, ...]) -> Edit:
        path, name = (setting.section, setting.name), setting.name
        winner = self.preset.arguments.get(name)
        if name in _DROPPED:
            return Remove(path, _DROPPED[name])
        if winner is None or winner.section != setting.section:
            return Remove(path, "a later section of the preset overrides it")
        if self.own.find(*to) is not None:
            return Remove(path, "the server's block of this file already says it")
        if name in _SHARED_GPUS and self.splits and not self._owner:
            return Remove(path, "it was fitted to GPUs shared with the learner; the split's value counts")
        new = self._new_value(name, setting.value)
        return Move(path, to, _NEVER_READ if new is KEEP else f"{_NEVER_READ}; {self._reason(name)}", new)

    def _new_value(self, name: str, old: object) -> object:
        if name == LENGTH:
            keeps = self._target.max_model_len is None and not self._too_short(old)
        else:
            keeps = name != LORA and not (self.splits and name in self._completed())
        new = old if keeps else self._split_value(name)
        return KEEP if same(new, old) else new

    def _completed(self) -> tuple[str, ...]:
        if not self._owner:
            return ()
        return _COMPLETE if self.splits else _REQUIRED

    def _split_value(self, name: str) -> object:
        if name == TENSOR:
            return self._target.tensor_parallel
        if name == DATA:
            return self._target.data_parallel(self.preset.project, self._tensor())
        if name == LENGTH:
            return self._target.length(self._needed())
        return self._target.gpu_memory_utilization if name == SHARE else False

    def _tensor(self) -> int:
        # The TP that the block will have.
        said = self.bases.value(*SERVER_BLOCK, TENSOR)
        if said is None and not self.splits:
            said = self.preset.value(TENSOR)
        return said if isinstance(said, int) and said > 0 else self._target.tensor_parallel

    def _reason(self, name: str) -> str:
        if name == LENGTH and self._too_short(DEFAULT_LENGTH):
            return self._long()
        return _MERGED if name == LORA else _SPLIT

    def _long(self) -> str:
        return f"prompt and completion may have {self._needed()} tokens"

    def _needed(self) -> int | None:
        return total_length(self._context)

    def _too_short(self, length: object) -> bool:
        needed = self._needed()
        return isinstance(length, int) and needed is not None and length < needed

    def _longer(self, block: Iterable[Edit]) -> Iterator[Edit]:
        # A block that is there, here or in a base, but too short for this preset.
        to = (*SERVER_BLOCK, LENGTH)
        said = self.bases.value(*to)
        if self._too_short(said) and not any(isinstance(edit, Move) and edit.to == to for edit in block):
            yield Add(to, self._split_value(LENGTH), self._long())

    def _gone(self) -> Iterator[Edit]:
        for setting in self._settings():
            if role_of(setting.name) is Role.COLOCATE:
                yield Remove((setting.section, setting.name), "it acts in colocate mode only")
