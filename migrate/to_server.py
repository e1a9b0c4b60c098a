"""Which edits turn one named file of a colocate preset into its share of a server-mode preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.edits import KEEP
from migrate.edits import Add
from migrate.edits import Change
from migrate.edits import Edit
from migrate.edits import Move
from migrate.edits import Remove
from schema.preset import ARGUMENT_SECTIONS
from schema.preset import SERVER_BLOCK
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.roles import Role
from schema.roles import fields
from schema.roles import role_of
from schema.rules.tokens import total_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.target import Target
    from schema.preset import Preset
    from schema.rules import Context

LENGTH, SHARE = "vllm_max_model_len", "vllm_gpu_memory_utilization"
#: The order of the server's block: size and memory first, adapters last.
_FIRST = ("vllm_tensor_parallel_size", "vllm_data_parallel_size", LENGTH, SHARE)
_LAST = ("vllm_enable_lora",)
ORDER = (*_FIRST, *(name for name in fields(Role.SERVER) if name not in (*_FIRST, *_LAST)), *_LAST)

_SPLIT = "the split"
_NEVER_READ = "in server mode only the rollout server acts on it"
_DROPPED = {
    "vllm_max_lora_rank": "adapters are not loaded by the rollout server",
    "vllm_pipeline_parallel_size": "`swift rollout` has no pipeline parallelism",
}


class ToServer:
    """The edits of one named file.

    Attributes:
        preset: the file, resolved.
        own: what the file itself says.
        inherits: whether a named base already becomes the owner of mode, address and block.
    """

    def __init__(self, context: Context, own: Branch, target: Target, *, inherits: bool) -> None:
        self.preset: Preset = context.preset
        self.own = own
        self.inherits = inherits
        self._context = context
        self._target = target
        self._owner = own.find("rlhf", "vllm_mode") is not None and not inherits
        self._splits = self.preset.mode != "server"

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        return [*self._mode(), *self._address(), *self._block(), *self._gone()]

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
                after = key
            elif self.own.find("rlhf", key) is not None:
                after = key

    def _block(self) -> Iterator[Edit]:
        completion = self._completion()
        for name in ORDER:
            to = (*SERVER_BLOCK, name)
            said = self._said(name)
            if said is not None:
                yield self._moved(said, to)
            elif name in completion and self.preset.tree.find(*to) is None:
                yield Add(to, completion[name], _SPLIT)
        yield from self._longer()

    def _said(self, name: str) -> tuple[str, str] | None:
        # Where this file itself sets a knob among the learner's arguments; the last section counts.
        for section in reversed(ARGUMENT_SECTIONS):
            if self.own.find(section, name) is not None:
                return (section, name)
        return None

    def _moved(self, path: tuple[str, str], to: tuple[str, ...]) -> Edit:
        name = path[1]
        if name in _DROPPED:
            return Remove(path, _DROPPED[name])
        if self.own.find(*to) is not None:
            return Remove(path, "the server's block of this file already says it")
        if name == SHARE and self._splits and not self._owner:
            return Remove(path, "it made room for the learner on shared GPUs; the split's value counts")
        new = self._new_value(name, self.own.value(*path))
        return Move(path, to, _NEVER_READ if new is KEEP else f"{_NEVER_READ}; {_SPLIT} gives the value", new)

    def _new_value(self, name: str, old: object) -> object:
        if name == "vllm_enable_lora":
            return KEEP if old is False else False
        if name == LENGTH:
            needed = self._needed()
            too_short = isinstance(old, int) and needed is not None and old < needed
            return self._length() if too_short or self._target.max_model_len else KEEP
        completion = self._completion()
        if not self._splits or name not in completion or completion[name] == old:
            return KEEP
        return completion[name]

    def _completion(self) -> dict[str, object]:
        if not self._owner:
            return {}
        return {
            "vllm_tensor_parallel_size": self._target.tensor_parallel,
            "vllm_data_parallel_size": self._target.data_parallel(self.preset.project),
            LENGTH: self._length(),
            SHARE: self._target.gpu_memory_utilization,
            "vllm_enable_lora": False,
        }

    def _length(self) -> int:
        return self._target.length(self._needed())

    def _needed(self) -> int | None:
        return total_length(self._context)

    def _longer(self) -> Iterator[Edit]:
        # A block that is there, here or in a base, but too short for this preset.
        to, needed = (*SERVER_BLOCK, LENGTH), self._needed()
        if needed is None or self._said(LENGTH) is not None:
            return
        said = self.preset.tree.leaf(*to)
        short = isinstance(said, Leaf) and isinstance(said.value, int) and said.value < needed
        reason = f"prompt and completion may have {needed} tokens"
        if short and self.own.find(*to) is not None:
            yield Change(to, needed, reason)
        elif short or (said is None and self.inherits and needed > self._target.length(None)):
            yield Add(to, needed, reason)

    def _gone(self) -> Iterator[Edit]:
        for section in ARGUMENT_SECTIONS:
            branch = self.own.find(section)
            for name in branch.children if isinstance(branch, Branch) else ():
                path = (section, str(name))
                if role_of(path[1]) is Role.COLOCATE and self.own.find(*path) is not None:
                    yield Remove(path, "it acts in colocate mode only")
