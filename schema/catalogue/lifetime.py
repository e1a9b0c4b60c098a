"""In which releases an argument exists: read when a preset names one that its target does not have."""

from __future__ import annotations

from typing import NamedTuple

from schema.catalogue.load import history
from schema.catalogue.load import order
from schema.catalogue.load import versions


class Lifetime(NamedTuple):
    """The first and the last catalogued release that has an argument."""

    first: str
    last: str


def lifetime(side: str, name: str) -> Lifetime | None:
    """When an argument existed, or None if no catalogued release has it.

    Args:
        side: "trainer" for RLHFArguments, "server" for RolloutArguments.
        name: the argument.

    Raises:
        CatalogueError: a data file is missing or broken.
    """
    events = sorted(history(side, name), key=lambda event: order(event[0]))
    having = [version for version in versions() if _has(events, version)] if events else []
    return Lifetime(having[0], having[-1]) if having else None


def _has(events: list[tuple[str, bool]], version: str) -> bool:
    past = [present for since, present in events if order(since) <= order(version)]
    return bool(past) and past[-1]
