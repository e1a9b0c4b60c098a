"""What a migration aims at: the mode, the split, the server's address, and its lengths."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.split.gpus import Shares
from schema.swift.address import LOOPBACK
from schema.swift.address import PORT

DEFAULT_HOST, DEFAULT_PORT, DEFAULT_TIMEOUT = LOOPBACK[0], PORT, 300

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from schema.layouts.preset import Preset
    from schema.resolve.settings import Settings


class Bases(Enum):
    """What becomes of settings that a preset inherits from a base which is not named: a merge cannot delete."""

    REFUSE = "the migration is refused"
    INCLUDE = "the base is migrated, too"
    MASK = "the preset overrides them with null"


class Target(NamedTuple):
    """What the caller wants; None where nothing was said.

    Attributes:
        to: the mode that the presets get: server or colocate.
        bases: what becomes of settings that come from a base which is not named.
        rollout_gpus: GPUs that roll out; TP x DP.
        train_gpus: GPUs that learn, one process each (W).
        tensor_parallel: GPUs that one engine spans (TP).
        max_model_len: tokens that one sequence may have on the server.
        gpu_memory_utilization: share of a GPU's memory for the engine's weights and KV cache.
        host: loopback name that the server listens on.
        port: port that it listens on.
        timeout: seconds that the learner waits for it when it connects.
        is_settled: whether the presets are this migration's own results, so that W is what it made it.
        swift_version: the ms-swift release that presets are checked for.
    """

    to: str = "server"
    bases: Bases = Bases.REFUSE
    rollout_gpus: int | None = None
    train_gpus: int | None = None
    tensor_parallel: int | None = None
    max_model_len: int | None = None
    gpu_memory_utilization: float | None = None
    host: str | None = None
    port: int | None = None
    timeout: float | None = None
    is_settled: bool = False
    swift_version: str | None = None

    @property
    def said_address(self) -> dict[str, object]:
        """What the caller says of the server's address, and of the seconds to connect."""
        address = {"host": self.host, "port": self.port, "timeout": self.timeout}
        return {name: value for name, value in address.items() if value is not None}

    @property
    def address(self) -> dict[str, object]:
        """The same, and the defaults for what the caller does not say."""
        return {"host": DEFAULT_HOST, "port": DEFAULT_PORT, "timeout": DEFAULT_TIMEOUT, **self.said_address}

    def sets_engines(self, node: int | None) -> bool:
        """Whether the caller says something that DP follows from; of a node's GPUs the learners leave the rest."""
        learners = self.train_gpus is not None and node is not None
        return self.rollout_gpus is not None or self.tensor_parallel is not None or learners

    @property
    def given(self) -> Shares:
        """GPUs that the caller names for each side."""
        return Shares(self.rollout_gpus, self.train_gpus)

    @property
    def resplits(self) -> bool:
        """Whether the caller names GPUs, so that a preset which stays as it is has to fit them, too."""
        return bool(self.rollout_gpus or self.train_gpus)

    def check(self) -> None:
        """Refuses what the validator would refuse.

        Raises:
            InputError: the host is no loopback name, or the share of memory no number.
        """
        if self.host is not None and self.host not in LOOPBACK:
            raise InputError(f"--host {self.host}: only {', '.join(LOOPBACK)} are supported")
        if self.gpu_memory_utilization is not None and not 0 < self.gpu_memory_utilization <= 1:
            raise InputError(
                f"--gpu-memory-utilization {self.gpu_memory_utilization}: it must be above 0 and at most 1"
            )


def other_splits(presets: Iterable[Preset], target: Target) -> list[str]:
    """Warnings of projects whose `[tool.rollout-split]` says another split than the caller.

    validate-config and the launchers go by the project's numbers, so they would refuse the result.
    """
    projects = {preset.project.root: preset.project.settings for preset in presets}
    return [warning for settings in projects.values() for warning in _other_split(settings, target)]


def _other_split(settings: Settings, target: Target) -> Iterator[str]:
    server = target.to == "server"
    given = {"rollout-gpus": target.rollout_gpus, "train-gpus": target.train_gpus if server else None}
    own = {"rollout-gpus": settings.rollout_gpus, "train-gpus": settings.train_gpus}
    for name, gpus in given.items():
        if gpus is not None and own[name] not in (None, gpus):
            yield (
                f"{name} is {own[name]} in [tool.rollout-split] of pyproject.toml, but {gpus} in this call;"
                " change it there, too, because validate-config and the launchers use it"
            )
