"""What a migration aims at: the mode, the split, the server's address, and its lengths."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.rules.connectivity import LOOPBACK
from schema.split import DEFAULT_ROLLOUT

if TYPE_CHECKING:
    from schema.resolve import Project

#: Tokens of prompt and completion together, unless the preset needs more.
DEFAULT_LENGTH = 8192
#: GPUs that one engine of the server spans, and the share of their memory that it takes.
DEFAULT_TENSOR = 1
DEFAULT_SHARE = 0.6
DEFAULT_HOST, DEFAULT_PORT, DEFAULT_TIMEOUT = "127.0.0.1", 8080, 300


class Bases(Enum):
    """What becomes of settings that a preset inherits from a base which is not named: a merge cannot delete."""

    REFUSE = "the migration is refused"
    INCLUDE = "the base is migrated, too"
    MASK = "the preset overrides them with null"


@dataclass(frozen=True)
class Target:
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
    swift_version: str | None = None

    @property
    def address(self) -> dict[str, object]:
        """The server's address, and the seconds to connect: what the caller says, else the defaults."""
        return {
            "host": self.host or DEFAULT_HOST,
            "port": self.port or DEFAULT_PORT,
            "timeout": self.timeout or DEFAULT_TIMEOUT,
        }

    @property
    def said(self) -> dict[str, tuple[str, object]]:
        """What the caller says of single settings, by their names, each with its option."""
        values = {
            "vllm_tensor_parallel_size": ("--tensor-parallel", self.tensor_parallel),
            "vllm_max_model_len": ("--max-model-len", self.max_model_len),
            "vllm_gpu_memory_utilization": ("--gpu-memory-utilization", self.gpu_memory_utilization),
            "vllm_server_host": ("--host", self.host),
            "vllm_server_port": ("--port", self.port),
            "vllm_server_timeout": ("--timeout", self.timeout),
        }
        return {name: said for name, said in values.items() if said[1] is not None}

    @property
    def resplits(self) -> bool:
        """Whether the caller names GPUs, so that a preset which stays as it is has to fit them, too."""
        return bool(self.rollout_gpus or self.train_gpus)

    @property
    def tensor(self) -> int:
        """TP of the server: what the caller says, else 1."""
        return self.tensor_parallel or DEFAULT_TENSOR

    @property
    def share(self) -> float:
        """Share of a rollout GPU's memory: what the caller says, else 0.6."""
        return self.gpu_memory_utilization or DEFAULT_SHARE

    def data_parallel(self, project: Project, tensor: int) -> int:
        """DP: the rollout GPUs, 6 unless the caller or the project says otherwise, divided by TP.

        Raises:
            InputError: TP does not divide the rollout GPUs.
        """
        gpus = self.rollout_gpus or project.settings.rollout_gpus or DEFAULT_ROLLOUT
        if gpus % tensor:
            raise InputError(
                f"vllm_tensor_parallel_size {tensor} does not divide {gpus} rollout GPUs; --tensor-parallel and"
                " --rollout-gpus set them"
            )
        return gpus // tensor

    def length(self, needed: int | None) -> int:
        """Tokens of one sequence on the server: what the caller says, else 8192, else what is needed.

        Raises:
            InputError: the caller says less than the preset needs.
        """
        if self.max_model_len is None:
            return max(DEFAULT_LENGTH, needed or 0)
        if needed is not None and self.max_model_len < needed:
            raise InputError(
                f"--max-model-len is {self.max_model_len}, but prompt and completion may have {needed} tokens"
                f" here; say --max-model-len {needed}, or leave it out"
            )
        return self.max_model_len

    def check(self) -> None:
        """Refuses what the validator would refuse.

        Raises:
            InputError: the host is no loopback name, or the share of memory no number.
        """
        if self.host is not None and self.host not in LOOPBACK:
            raise InputError(f"--host {self.host}: only {', '.join(LOOPBACK)} are supported")
        if self.gpu_memory_utilization is not None and not 0 < self.gpu_memory_utilization <= 1:
            raise InputError(f"--gpu-memory-utilization {self.gpu_memory_utilization}: it is a share, 0 < x <= 1")
