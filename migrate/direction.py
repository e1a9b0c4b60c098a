"""What the two ways of a migration have in common: to server mode, and back to colocate mode."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from typing import TYPE_CHECKING
from typing import ClassVar

from migrate.edits import Add
from migrate.edits import Change
from migrate.part import MODE
from migrate.scalars import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.edits import Edit
    from migrate.part import Part
    from schema.preset import Preset
    from schema.preset import Setting

#: Engine settings that the directions decide on one by one.
TENSOR, DATA = "vllm_tensor_parallel_size", "vllm_data_parallel_size"
LENGTH, SHARE, LORA = "vllm_max_model_len", "vllm_gpu_memory_utilization", "vllm_enable_lora"
#: Fitted to the GPUs of one mode; of no use in the other.
FITTED = (TENSOR, DATA, SHARE)

UNSET = "it was not set, which is colocate up to ms-swift 3.11.0 unless a server is named, and an error after"


class Direction(ABC):
    """The edits of one file of a call.

    Attributes:
        mode: the vllm_mode that the presets get.
        why: the reason why it changes.
    """

    mode: ClassVar[str]
    why: ClassVar[str]

    def __init__(self, part: Part) -> None:
        self.part = part

    @abstractmethod
    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""

    @staticmethod
    @abstractmethod
    def left(before: Preset, after: Preset, below: Preset) -> list[Setting]:
        """What a preset still has once it is migrated, and must not have; `below` is what its bases say."""

    def set_mode(self) -> Iterator[Edit]:
        """The edit of vllm_mode, where the file says it, or has to."""
        mode = self.part.own.leaf(*MODE)
        if mode is not None and mode.value != self.mode:
            yield Change(MODE, self.mode, self.why)
        elif self.part.sets_mode:
            said = self.part.own.find("rlhf", "use_vllm") is not None
            yield Add(MODE, self.mode, self.why if self.part.after.mode else UNSET, "use_vllm" if said else None)


def mask(setting: Setting, why: str) -> Add:
    """A null that keeps an inherited setting from the preset."""
    return Add(setting.steps, None, f"hides {shown(setting.value)} of {setting.key.file.name}: {why}")
