"""The name that was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from schema.findings import MOST

if TYPE_CHECKING:
    from collections.abc import Collection

#: Names that are shorter have few letters to tell them apart.
_LONG = 8


class Near:
    """Looks for near names, a bounded number of times: each takes milliseconds."""

    def __init__(self) -> None:
        self._left = MOST

    def __call__(self, name: str, known: Collection[str]) -> str | None:
        """The nearest of the known names, or None."""
        self._left -= 1
        if self._left < 0:
            return None
        return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.7)), None)


def is_slip(name: str, meant: str, known: Collection[str]) -> bool:
    """Whether a name can only be a slip for another one.

    That is one wrong, missing, added or swapped letter, or two in a long name, and no other known name is as near.
    """
    most = 1 if len(name) < _LONG else 2
    near = get_close_matches(name, list(known), n=3, cutoff=0.7)
    return meant in near and all((_slips(name, each) <= most) == (each == meant) for each in near)


def _slips(name: str, other: str) -> int:
    """Letters to add, remove, replace or swap with the next to get from one name to another one."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(name, 1):
        rows.append([i])
        for j, wanted in enumerate(other, 1):
            choices = [rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (letter != wanted)]
            if i > 1 and j > 1 and (letter, name[i - 2]) == (other[j - 2], wanted):
                choices.append(rows[i - 2][j - 2] + 1)
            rows[i].append(min(choices))
    return rows[-1][-1]
