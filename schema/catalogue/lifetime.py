"""In which releases an argument exists: read when a preset names one that its target does not have."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.catalogue.load import history
from schema.catalogue.load import versions
from schema.catalogue.model import order

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    having = knowing([(side, name)])
    return Lifetime(having[0], having[-1]) if having else None


def is_known(side: str, name: str) -> bool:
    """Whether some catalogued release has an argument, as `lifetime` takes it.

    Raises:
        CatalogueError: a data file is missing or broken.
    """
    return bool(history(side, name))


def knowing(arguments: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The catalogued releases that have all of some arguments, each a side and a name as `lifetime` takes them.

    Raises:
        CatalogueError: a data file is missing or broken.
    """
    having: set[str] | None = None
    for argument in arguments:
        events = history(*argument)
        if not events:
            return ()  # thousands of unknown names cost nothing
        releases = _having(tuple(events), versions())
        having = {*releases} if having is None else having.intersection(releases)
    return tuple(version for version in versions() if having is None or version in having)


@cache
def _having(events: tuple[tuple[str, bool], ...], releases: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some releases that have an argument with such a history; each check asks for all of its keys."""
    ordered = sorted((order(since), present) for since, present in events)
    return tuple(version for version in releases if _has(ordered, version))


def spans(releases: Iterable[str]) -> str:
    """Catalogued releases as a person names them: those that follow each other as one range."""
    wanted = {*releases}
    runs = [list(run) for has, run in groupby(versions(), wanted.__contains__) if has]
    return " and ".join(run[0] if run[0] == run[-1] else f"{run[0]} to {run[-1]}" for run in runs)


def _has(events: list[tuple[tuple[int, ...], bool]], version: str) -> bool:
    past = [present for since, present in events if since <= order(version)]
    return bool(past) and past[-1]
