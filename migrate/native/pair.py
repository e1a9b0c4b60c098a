"""One pair of a call: what both files say, and how many processes learn before and after."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.direction import DATA
from migrate.direction import TENSOR
from schema.errors import InputError
from schema.layouts.native import Native
from schema.layouts.native import server_half
from schema.rules.tokens import total_length
from schema.split import DEFAULT_LEARNERS
from schema.split import DEFAULT_ROLLOUT
from schema.split import MAX_GPUS
from schema.yamltext import parse

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.target import Target
    from schema.rules import Context
    from schema.yamltext import Document


@dataclass(frozen=True)
class Pair:
    """One pair of a call.

    Attributes:
        preset: the pair as it is now.
        context: the same, for rules.
        target: what the migration aims at.
        leaves: whether it leaves the other mode; else only what stands in the wrong place is put right.
    """

    preset: Native
    context: Context
    target: Target
    leaves: bool

    @property
    def path(self) -> Path:
        """The learner's file."""
        return self.preset.resolved.path

    @property
    def server_path(self) -> Path:
        """The server's file, which need not be there."""
        return server_half(self.path)

    @cached_property
    def learner(self) -> Document:
        """The learner's file."""
        return self.context.workspace.document(self.path)

    @cached_property
    def server(self) -> Document:
        """The server's file; an empty one if it is not there."""
        if self.preset.server is None:
            return parse(self.server_path, b"")
        return self.context.workspace.document(self.server_path)

    def said_by_server(self, name: str) -> object:
        """What the server's file says, or None."""
        return self.preset.block.value(name) if self.preset.block else None

    @property
    def tensor(self) -> int:
        """TP of the server after a migration to server mode."""
        said = self.said_by_server(TENSOR)
        if said is None and not self.leaves:
            said = self.preset.value(TENSOR)
        return said if isinstance(said, int) and said > 0 else self.target.tensor

    @property
    def rollout(self) -> int:
        """GPUs that roll out in server mode.

        Raises:
            InputError: the server's file asks for more than any machine has, or for none.
        """
        engines = self.said_by_server(DATA)
        if isinstance(engines, int):
            return self._bounded(self.tensor * engines)
        return self.target.rollout_gpus or self.preset.project.settings.rollout_gpus or DEFAULT_ROLLOUT

    def _bounded(self, gpus: int) -> int:
        if 1 <= gpus <= MAX_GPUS:
            return gpus
        place = self.context.at_server(DATA)
        raise InputError(f"TP x DP is {gpus}; a side of the split has from 1 to {MAX_GPUS} GPUs", place)

    @property
    def train(self) -> int:
        """W of server mode."""
        if self.target.train_gpus:
            return self.target.train_gpus
        if self.preset.mode == "server" and self.preset.learners:
            return self.preset.learners.count
        return self.preset.project.settings.train_gpus or DEFAULT_LEARNERS

    @property
    def together(self) -> int:
        """W of colocate mode: what its ENV says, else all GPUs of the split."""
        said = self.preset.learners if self.preset.mode != "server" else None
        return said.count if said else self.rollout + self.train

    @cached_property
    def needed(self) -> int | None:
        """Tokens that prompt and completion may have together, or None if nothing says."""
        return total_length(self.context)

    def too_short(self, length: object) -> bool:
        """Whether an engine of this length would clip what the preset allows."""
        return isinstance(length, int) and self.needed is not None and length < self.needed

    def whole(self, name: str) -> int | None:
        """A positive whole number of the learner's file, or None if it is unset.

        Raises:
            InputError: it is set to something else.
        """
        value = self.preset.value(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
            return value
        raise InputError(f"{name} is {value!r}; it must be a positive whole number", self.context.at(name))
