"""Names that are nearly the same, as difflib judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def alike(name: str, words: Iterable[str], cutoff: float, most: int = 1) -> list[str]:
    """The words that are most like a name, the best first, as `difflib.get_close_matches` finds them.

    Args:
        name: a name.
        words: what it may stand for, none of them empty.
        cutoff: twice the letters that both share in their order, divided by the letters of both, at least.
        most: how many words to return at most.
    """
    # To compare letters in their order takes long. Most words are too short or too long for that, or share too few
    # letters in any order.
    likely = [word for word in words if _share(name, word, min(len(name), len(word))) >= cutoff]
    likely = [word for word in likely if _share(name, word, _common(name, word)) >= cutoff]
    if not likely:
        return []
    from difflib import get_close_matches  # noqa: PLC0415 - few names need it

    return get_close_matches(name, likely, n=most, cutoff=cutoff)


def _share(name: str, word: str, letters: int) -> float:
    return 2 * letters / (len(name) + len(word))


def _common(name: str, word: str) -> int:
    return sum(min(name.count(letter), word.count(letter)) for letter in set(word))
