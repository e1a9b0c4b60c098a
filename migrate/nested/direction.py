"""What the two ways of a migration have in common: to server mode, and back to colocate mode."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from typing import TYPE_CHECKING
from typing import ClassVar

from migrate.batch import rescaled
from migrate.names import GIVEN
from migrate.nested.part import MODE
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Change
from migrate.yamledit.edits import Move
from migrate.yamledit.scalars import shown
from schema.split.decide import CALLER
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from migrate.nested.part import Part
    from migrate.yamledit.edits import Edit
    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting

UNSET = "it was not set: colocate up to ms-swift 3.11.0 unless a server is named, an error in later releases"


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

    @abstractmethod
    def given(self) -> dict[tuple[str, ...], object]:
        """What the caller gives, by path; None where nothing."""

    def set_given(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        """The edits that let what the caller gives win over what is there, here or in a base."""
        for path, wanted in self.given().items():
            own = self.part.own.find(*path) is not None
            if wanted is None or not (own or self.part.knows_mode) or writes(edits, path):
                continue
            if not same(wanted, self.part.bases.value(*path)):
                yield Add(path, wanted, GIVEN.get(path[-1], CALLER))

    def batch(self) -> Iterator[Edit]:
        """The edits of batch numbers that keep the global batch for another number of learners."""
        yield from rescaled(self.part, self.part.own, self.part.after)

    def set_mode(self) -> Iterator[Edit]:
        """The edit of vllm_mode, where the file says it, or has to."""
        mode = self.part.own.leaf(*MODE)
        if mode is not None and mode.value != self.mode:
            yield Change(MODE, self.mode, self.why)
        elif self.part.sets_mode:
            is_set = self.part.own.find("rlhf", "use_vllm") is not None
            why = self.why if self.part.after.explicit_mode else UNSET
            yield Add(MODE, self.mode, why, "use_vllm" if is_set else None)


def writes(edits: Iterable[Edit], path: tuple[str, ...]) -> bool:
    """Whether edits bring a value to a path."""
    moved = (
        edit.to if isinstance(edit, Move) else edit.path for edit in edits if isinstance(edit, Add | Move | Change)
    )
    return path in moved


def mask(setting: Setting, why: str) -> Add:
    """A null that keeps an inherited setting from the preset."""
    return Add(setting.steps, None, f"hides {shown(setting.value)} of {setting.key.file.name}: {why}")
