"""From a preset's values to the two strict models, keeping what is wrong apart from what is right."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from typing import Generic
from typing import TypeVar
from typing import cast

from pydantic import ValidationError

from schema.models.server import RolloutServerBlock
from schema.models.server import RolloutServerConfig
from schema.models.trainer import ColocateTrainerConfig
from schema.models.trainer import TrainerConfig
from schema.resolve.tree import Branch
from schema.resolve.tree import data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from schema.layouts.preset import Preset
    from schema.models.strict import StrictModel

M_co = TypeVar("M_co", bound="StrictModel", covariant=True)


@dataclass(frozen=True)
class Parsed(Generic[M_co]):
    """A model, and the fields that could not go into it.

    Attributes:
        config: the model; wrong fields are left at their defaults (missing ones without a value at all).
        errors: by field, what pydantic says is wrong with it; also unknown and missing fields.
    """

    config: M_co
    errors: Mapping[str, ErrorDetails] = field(default_factory=dict)


def parse(model: type[M_co], values: dict[str, Any]) -> Parsed[M_co]:
    """Builds a model of what is right in the values."""
    try:
        return Parsed(model.model_validate(values))
    except ValidationError as error:
        errors: dict[str, ErrorDetails] = {}
        for problem in error.errors():
            errors.setdefault(str(problem["loc"][0]), problem)
    right = {name: value for name, value in values.items() if name not in errors}
    return Parsed(cast("M_co", model.model_construct(None, **right)), errors)


def trainer(preset: Preset) -> Parsed[TrainerConfig] | Parsed[ColocateTrainerConfig]:
    """The learner's rollout settings: in server mode without engine knobs, which it never reads there."""
    if preset.mode == "server":
        return parse(TrainerConfig, _known(TrainerConfig, preset))
    return parse(ColocateTrainerConfig, _known(ColocateTrainerConfig, preset))


def server(preset: Preset) -> Parsed[RolloutServerConfig] | None:
    """The rollout server's settings, or None if the preset has no block for them, or no mapping there."""
    if not isinstance(preset.block, Branch):
        return None
    values = {str(name): value for name, value in data(preset.block).items() if value is not None}
    model = RolloutServerConfig if preset.apart else RolloutServerBlock
    return parse(model, {name: value for name, value in values.items() if name in model.model_fields})


def _known(model: type[TrainerConfig], preset: Preset) -> dict[str, Any]:
    # A preset without rlhf_type is reported as such; its other fields are still worth checking.
    values: dict[str, Any] = {"rlhf_type": "grpo"}
    for name in model.model_fields:
        if (value := preset.value(name)) is not None:
            values[name] = value
    return values
