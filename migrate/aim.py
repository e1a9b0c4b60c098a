"""What a preset of a call is to become: its needs, and how many GPUs roll out and learn, before and after."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.names import DATA
from migrate.names import FITTED
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import RANK
from migrate.names import SHARE
from migrate.names import TENSOR
from migrate.names import URL
from schema.layouts.preset import ADDRESSES
from schema.split import decide
from schema.split.gpus import Shares
from schema.split.gpus import project_split
from schema.swift import address
from schema.swift import argument
from schema.swift.adapters import can_load
from schema.swift.adapters import rank_for
from schema.swift.lengths import longest
from schema.swift.lengths import prompt_length
from schema.swift.lengths import total_length

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.home import Home
    from migrate.target import Target
    from schema.context import Context
    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting
    from schema.resolve import Branch

MERGED = "the server gets merged weights"


@dataclass(frozen=True, eq=False)
class Aim(ABC):
    """A preset of a call, and what the migration aims at; a layout says where the settings of each side stand.

    Attributes:
        context: the preset as it is now.
        target: what the caller wants.
        changes_mode: whether it comes from the other mode; else only misplaced settings are moved, and what
            the caller gives is set.
        after: the file, resolved with those of its bases migrated that are in the call.
        leads: whether it is the first in its family, bases first, that knows vllm_mode: it gets what the
            whole family needs once.
        sets_mode: whether it has to say vllm_mode and does not: nothing says it, or only a base that stays.
    """

    context: Context
    target: Target
    changes_mode: bool
    after: Preset
    leads: bool
    sets_mode: bool

    @property
    @abstractmethod
    def learner(self) -> Home:
        """Where the learner's settings stand."""

    @property
    @abstractmethod
    def server(self) -> Home:
        """Where the server's settings stand."""

    @abstractmethod
    def listed(self, value: object) -> object:
        """How the layout writes a list of one."""

    def spelled(self, there: object, value: object) -> object:  # noqa: ARG002 - a layout may have several ways
        """How a value is written in the place of another one."""
        return value

    @property
    def preset(self) -> Preset:
        """The preset as it is now."""
        return self.context.preset

    @property
    def path(self) -> Path:
        """The file that was named."""
        return self.preset.resolved.path

    @cached_property
    def own(self) -> Branch:
        """What the file itself says."""
        return self.context.workspace.tree(self.path)

    @property
    def says_mode(self) -> bool:
        """Whether vllm_mode stands in the file, or will."""
        return self.sets_mode or self.learner.says("vllm_mode")

    @property
    def knows_mode(self) -> bool:
        """Whether the file by itself is a preset of the mode, or becomes one."""
        return self.says_mode or self.after.explicit_mode == self.target.to

    @property
    def going(self) -> tuple[Path, ...]:
        """Files that will not be there afterwards."""
        return ()

    @property
    def is_whole(self) -> bool:
        """Whether the file is a whole preset, so that its batch numbers mean something."""
        return True

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """The ms-swift arguments that the file itself sets."""
        own = (setting for setting in self.preset.settings() if setting.key.file == self.path)
        return tuple(setting for setting in own if setting.value is not None and not self.preset.owned(setting))

    def home_of(self, name: str) -> Home:
        """Where an argument of the learner stands, or would."""
        setting = self.preset.arguments.get(name)
        return replace(self.learner, section=setting.steps[:-1]) if setting else self.learner

    def inherits(self, name: str) -> bool:  # noqa: ARG002 - a layout may have bases
        """Whether bases say a setting of the learner."""
        return False

    @cached_property
    def needs(self) -> decide.Needs:
        """Tokens that the preset allows."""
        context = self.context
        return decide.Needs(prompt_length(context), total_length(context), longest(context))

    @cached_property
    def address(self) -> dict[str, object]:
        """Where the server of the result listens, and the seconds to connect: as given, as now, or the default."""
        has_address = any(self.preset.value(name) is not None for name in ADDRESSES)
        now = address.wanted(self.context)._asdict() if has_address else {}
        return {**self.target.address, **now, **self.target.said_address}

    @property
    def names_url(self) -> bool:
        """Whether the learner has a URL, which beats host and port."""
        return self.preset.value(URL) is not None

    @property
    def keeps_url(self) -> bool:
        """Whether that URL stays: host and port cannot say the same, and the caller names no host."""
        return self.names_url and self.target.host is None and None in address.connection(self.context)

    @property
    def tensor(self) -> int:
        """TP in server mode: the caller's, else what the engine has, on whatever side it is said, else 1."""
        served = self.preset.server_value(TENSOR)
        had = self.preset.value(TENSOR) if served is None else served
        return self.target.tensor_parallel or (had if argument.is_whole(had) else decide.DEFAULT_TENSOR)

    @property
    def keeps_adapters(self) -> bool:
        """Whether the server loads adapters, as the engine has done: a server of the nested layout never does."""
        value = self.preset.value(LORA)
        return self.preset.apart and argument.truth(value) is True and can_load(self.context)

    def served(self, name: str, had: object) -> decide.Decision:
        """What the server gets for an engine setting that the engine has had (None: unset).

        What fits the GPUs of one mode alone is chosen again where the preset leaves that mode.

        Raises:
            InputError: TP does not divide the rollout GPUs, or a prompt can fill the length that the caller gives.
        """
        if name == LENGTH:
            return decide.length(had, self.target.max_model_len, self.needs)
        if name in (LORA, RANK):
            return self._adapters(name, had)
        chosen = name == TENSOR or name in self.given_to_server or (self.changes_mode and name in FITTED)
        if had is not None and not chosen:
            return decide.Decision(had)
        return decide.Decision(self._of_split(name), decide.SPLIT)

    def _adapters(self, name: str, had: object) -> decide.Decision:
        if name == LORA:
            return decide.Decision(self.keeps_adapters, "" if self.keeps_adapters else MERGED)
        rank = rank_for(self.context.trainer.config.lora_rank, had)
        return decide.Decision(rank, "vLLM must accept the adapter's rank")

    def _of_split(self, name: str) -> object:
        if name == TENSOR:
            return self.tensor
        if name == DATA:
            return decide.data_parallel(self.rollout, self.tensor)
        return self.target.gpu_memory_utilization or decide.DEFAULT_SHARE

    @cached_property
    def given_to_server(self) -> dict[str, object]:
        """What the caller gives of the server's settings, with the DP that follows."""
        follows = self.target.sets_engines(self.preset.project.settings.gpus)
        return self.given_to_engine | ({DATA: decide.data_parallel(self.rollout, self.tensor)} if follows else {})

    @cached_property
    def given_to_engine(self) -> dict[str, object]:
        """What the caller gives of the settings of an engine on either side.

        Raises:
            InputError: a prompt can fill the length, or TP does not divide the learners of colocate mode.
        """
        if self.target.to == "colocate" and self.target.tensor_parallel is not None and not self.target.is_settled:
            decide.refuse_part_engines(self.world_after, self.target.tensor_parallel)
        length = self.served(LENGTH, None).value if self.target.max_model_len is not None else None
        given = {TENSOR: self.target.tensor_parallel, LENGTH: length, SHARE: self.target.gpu_memory_utilization}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def rollout(self) -> int:
        """GPUs that roll out in server mode."""
        tensor, engines = (self.preset.server_value(name) for name in (TENSOR, DATA))
        spans = tensor if argument.is_whole(tensor) else decide.DEFAULT_TENSOR
        size = spans * engines if argument.is_whole(engines) else None
        return decide.rollout_gpus(self.target.given, self.preset, size)

    @property
    def train(self) -> int:
        """GPUs that learn beside the server of the result."""
        return decide.train_gpus(self.target.given, self.preset, self.rollout)

    @property
    def world_before(self) -> int:
        """W now: what the preset says; else beside a server what the project says, else all GPUs of the split."""
        learners = self.preset.learners
        if learners is not None:
            return learners.count
        if self.target.is_settled:
            return self.world_after
        if self._is_split:
            nothing = Shares()
            return decide.train_gpus(nothing, self.preset, decide.rollout_gpus(nothing, self.preset))
        return self._node

    @property
    def world_after(self) -> int:
        """W of the result: beside a server its learners; else the caller's, or all GPUs of the split."""
        if self.target.to == "server":
            return self.train
        if self.target.train_gpus is not None:
            return self.target.train_gpus
        settles = self.target.is_settled and self.preset.learners is None
        return self._node if self.changes_mode or settles else self.world_before

    @property
    def _is_split(self) -> bool:
        # Whether a server rolls out now, also where no vllm_mode says so.
        return (self.target.to == "server") != self.changes_mode

    @property
    def _node(self) -> int:
        # All GPUs: of the server as it is and its learners now, or of the server and the learners to come.
        given = self.target.given if self.target.to == "server" else Shares(self.target.rollout_gpus)
        rollout = self.rollout
        return rollout + decide.train_gpus(given, self.preset, rollout)

    @property
    def assumption(self) -> str | None:
        """Why W is what it is now, where nobody says it."""
        if self.is_world_assumed:
            return "all GPUs of the split"
        known = self.preset.learners or project_split(self.preset.project, self.preset).train
        return None if known else "nothing says how many GPUs learn"

    @property
    def is_world_assumed(self) -> bool:
        """Whether nothing in the preset says how many learners there are now."""
        return self.preset.learners is None and not self._is_split
