"""The flat layout as JSON Schema: the files of `swift rlhf` and of `swift rollout`, each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.editors.arguments import Side
from schema.editors.arguments import of_grpo
from schema.editors.arguments import properties
from schema.editors.values import worded
from schema.layouts.flat import ENVIRONMENT
from schema.models.server import RolloutServerConfig
from schema.models.trainer import ColocateTrainerConfig
from schema.swift.lengths import REFUSED_STRATEGIES
from schema.swift.roles import Role

if TYPE_CHECKING:
    from schema.catalogue import Release
    from schema.editors.arguments import Schema
    from schema.resolve import Project

_ENVIRONMENT = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    "description": "Environment variables of this side.",
}
_LEARNER = (Role.SERVER, Role.COLOCATE, Role.BOTH, Role.REFUSED, Role.DEAD)
_SERVER = (Role.TRAINER, Role.BOTH, Role.REFUSED)


def learner(release: Release, project: Project) -> Schema:
    """The file that `swift rlhf` reads."""
    swift = f"ms-swift {release.version}"
    # In the nested layout a later section may override what GRPO refuses; here nothing does.
    strategies = [
        str(strategy) for strategy in release.trainer["truncation_strategy"].choices if strategy is not None
    ]
    taken = tuple(strategy for strategy in strategies if strategy not in REFUSED_STRATEGIES)
    only = of_grpo(release) | {"truncation_strategy": taken}
    side = Side(swift, release.trainer, (ColocateTrainerConfig,), worded, _LEARNER, only)
    own: dict[str, Schema] = {name: {} for name in project.settings.repository_keys.get("", ())}
    return _file(properties(side) | own)


def server(release: Release, project: Project) -> Schema:  # noqa: ARG001 - a project has no keys there
    """The file that `swift rollout` reads."""
    models = (RolloutServerConfig, ColocateTrainerConfig)
    return _file(properties(Side(f"ms-swift {release.version}", release.server, models, worded, _SERVER)))


def _file(arguments: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": arguments | {ENVIRONMENT: _ENVIRONMENT},
        "additionalProperties": False,
    }
