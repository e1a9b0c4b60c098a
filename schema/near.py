"""The name that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.alike import alike
from schema.findings import MOST

if TYPE_CHECKING:
    from collections.abc import Collection

_CUTOFF = 0.7
#: Letters of a word of which one may be wrong.
_LONG = 5


class Near:
    """Looks for near names, a bounded number of times: each takes milliseconds."""

    def __init__(self) -> None:
        self._left = MOST

    def __call__(self, name: str, known: Collection[str]) -> str | None:
        """The nearest of the known names, or None."""
        self._left -= 1
        if self._left < 0:
            return None
        return next(iter(alike(name, known, _CUTOFF)), None)


def is_slip(name: str, meant: str, known: Collection[str]) -> bool:
    """Whether a name can only be a slip for another one.

    That is a letter left out, added, or swapped with its neighbour, or a wrong one in a long word, and no other
    known name is as near. In a short word a wrong letter makes another word (gpu, cpu), as a digit makes another
    number.
    """
    near = alike(name, known, _CUTOFF, 3)
    return [each for each in near if _slips_into(name.replace("-", "_"), each)] == [meant]


def _slips_into(name: str, other: str) -> bool:
    if [sign for sign in name if sign.isdigit()] != [sign for sign in other if sign.isdigit()]:
        return False
    start = next(
        (place for place, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), len(name)
    )
    mine, wanted = name[start:], other[start:]
    if mine[1:] == wanted or mine == wanted[1:] or (mine[:2] == wanted[1::-1] and mine[2:] == wanted[2:]):
        return True
    word = other[:start].rpartition("_")[2] + wanted.partition("_")[0]
    return mine[1:] == wanted[1:] and len(word) >= _LONG and "_" not in (mine[:1], wanted[:1])
