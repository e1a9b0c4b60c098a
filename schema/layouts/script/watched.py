"""A mapping that notes whether anybody asks for what only a shell knows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import TypeVar
from typing import overload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.layouts.preset import Asked
    from schema.layouts.script.layout import Half

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Watched(dict[K, V]):
    """What is known of a call's arguments.

    An argument whose value only a shell knows is not in it, and yet is set. Who asks for it learns nothing, and
    `asked` tells, so that no rule concludes anything from that.
    """

    def __init__(self, known: Mapping[K, V], half: Half, asked: Asked) -> None:
        super().__init__(known)
        self._unknown = half.unknown
        self._half = half
        self._asked = asked

    def __contains__(self, name: object) -> bool:
        """Whether it is known."""
        self._note(name)
        return super().__contains__(name)

    @overload
    def get(self, name: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, name: K, default: D, /) -> V | D: ...
    def get(self, name: K, default: object = None, /) -> object:
        """What is known of it."""
        self._note(name)
        return super().get(name, default)

    def _note(self, name: object) -> None:
        if name in self._unknown:
            self._asked.value = True
        elif not super().__contains__(name):
            self._half.absent(self._asked)
