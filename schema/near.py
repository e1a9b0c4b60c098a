"""The name that was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from schema.findings import MOST

if TYPE_CHECKING:
    from collections.abc import Collection


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
