"""From a preset's values to the two strict models, keeping what is wrong apart from what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import Generic
from typing import TypeVar

from schema.ahead import Ahead
from schema.core import ValidationError
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.swift.roles import Role
from schema.swift.roles import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from schema.catalogue import Field
    from schema.catalogue import Release
    from schema.layouts.preset import Preset
    from schema.models.server import RolloutServerBlock
    from schema.models.server import RolloutServerConfig
    from schema.models.strict import StrictModel
    from schema.models.trainer import ColocateTrainerConfig
    from schema.models.trainer import TrainerConfig

#: What pydantic calls a key that a model does not have.
FORBIDDEN = "extra_forbidden"
#: Arguments that the learner's model has, in one mode or the other.
_OF_ROLLOUTS = {name for role in (Role.CONNECT, Role.TRAINER, Role.SERVER, Role.COLOCATE) for name in fields(role)}
M_co = TypeVar("M_co", bound="StrictModel", covariant=True)

TRAINER: Ahead[TrainerConfig] = Ahead("TrainerConfig")
COLOCATE: Ahead[ColocateTrainerConfig] = Ahead("ColocateTrainerConfig")
SERVER: Ahead[RolloutServerConfig] = Ahead("RolloutServerConfig")
BLOCK: Ahead[RolloutServerBlock] = Ahead("RolloutServerBlock")


class Parsed(Generic[M_co]):
    """A model, and the fields that could not go into it.

    Attributes:
        model: what the values were to be.
        config: the model of them; wrong fields have the release's defaults (missing ones no value at all).
        errors: by field, what pydantic says is wrong with it; also unknown and missing fields.
    """

    def __init__(self, model: Ahead[M_co], config: M_co, errors: Mapping[str, ErrorDetails] | None = None) -> None:
        self.model = model
        self.config = config
        self.errors = errors or {}

    def wrong(self, field: str) -> bool:
        """Whether a field is missing, or its value is not right."""
        return field in self.errors and not self.forbids(field)

    def forbids(self, field: str) -> bool:
        """Whether a field is set that the model does not have."""
        return field in self.errors and self.errors[field]["type"] == FORBIDDEN

    @property
    def complete(self) -> bool:
        """Whether the model has all of its fields, each with a right value."""
        return not any(map(self.wrong, self.errors))


def parse(model: Ahead[M_co], values: dict[str, Any], known: Mapping[str, Field]) -> Parsed[M_co]:
    """Builds a model of what is right in the values, and of a release's defaults for all else.

    Args:
        model: the model to build.
        values: what a preset says.
        known: the arguments of the release. What it does not have yet is as the newest release leaves it.
    """
    unset = defaults(model, known)
    try:
        return Parsed(model, model.validated(unset | values))
    except ValidationError as error:
        errors: dict[str, ErrorDetails] = {}
        for problem in error.errors(include_url=False, include_input=False):
            errors.setdefault(str(problem["loc"][0]), problem)
    right = {name: value for name, value in values.items() if name not in errors}
    return Parsed(model, model.constructed(unset | right), errors)


def defaults(model: Ahead[M_co], known: Mapping[str, Field]) -> dict[str, Any]:
    """What a release makes of fields that a preset may leave unset."""
    return {name: known[name].default for name in model.defaults if name in known}


def trainer(preset: Preset, release: Release) -> Parsed[TrainerConfig] | Parsed[ColocateTrainerConfig]:
    """The learner's rollout settings: in server mode without engine knobs, which it never reads there.

    The model gets all that the preset says of rollouts, so that it forbids what does not belong there.
    """
    # A preset without rlhf_type is reported as such; its other fields are still worth checking.
    values: dict[str, Any] = {"rlhf_type": "grpo"}
    of_rollouts = [each for name, each in preset.arguments.items() if name in _OF_ROLLOUTS]
    values |= {each.name: each.value for each in of_rollouts if each.value is not None}
    return parse(TRAINER if preset.mode == "server" else COLOCATE, values, release.trainer)


def server(preset: Preset, release: Release) -> Parsed[RolloutServerConfig] | None:
    """The rollout server's settings, or None if the preset has no block for them, or no mapping there.

    A block is checked whole; a file of its own has further arguments of `swift rollout`, which its parser checks.
    """
    if not isinstance(preset.block, Branch):
        return None
    values = {str(name): value for name, value in data(preset.block).items() if value is not None}
    if not preset.apart:
        return parse(BLOCK, values, release.server)
    own = {name: value for name, value in values.items() if name in SERVER.fields}
    return parse(SERVER, own, release.server)
