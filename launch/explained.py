"""What `rollout-split explain` knows: all that validate-config explains, and the checks of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.argv.entry import NEEDS_ENTRY
from launch.preflight import CHECKS
from schema import explained
from schema.explained import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Findings of the launchers alone.
MACHINE: Mapping[str, Topic] = {
    NEEDS_ENTRY.id: Topic.of(NEEDS_ENTRY),
    **{check.id: Topic.of(check) for check in CHECKS.values()},
}


def topics() -> dict[str, Mapping[str, Topic]]:
    """All that can be explained, by title and id."""
    return explained.topics() | {"Checks of the machine": MACHINE}
