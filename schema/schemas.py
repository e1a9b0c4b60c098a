"""A JSON Schema of presets in the nested layout, made from the models and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from schema import catalogue
from schema.preset import ARGUMENT_SECTIONS
from schema.server import RolloutServerConfig
from schema.trainer import ColocateTrainerConfig

if TYPE_CHECKING:
    from schema.catalogue import Field

_KINDS: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "json": {"type": ["object", "string"]},
}


def json_schema() -> dict[str, Any]:
    """The schema, for the newest catalogued ms-swift release; draft 2020-12."""
    sections = {name: {"type": ["object", "null"], "properties": _arguments()} for name in ARGUMENT_SECTIONS}
    sections["rlhf"] = _rollout_section()
    block = RolloutServerConfig.model_json_schema()
    custom = {"type": "object", "properties": {"extra": {"properties": {"rollout_server": block}}}}
    rest = {
        "extends": {"type": ["string", "array"], "items": {"type": "string"}},
        "global_max_length": {"type": ["integer", "null"], "minimum": 1},
        "custom": custom,
        "prompts": {"type": "object"},
        "deepspeed": {"type": "object"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "GRPO preset",
        "type": "object",
        "properties": {**rest, **sections},
        "additionalProperties": False,
    }


def _rollout_section() -> dict[str, Any]:
    # Rollout settings as the strict model has them, everything else as ms-swift's parser takes it.
    model = ColocateTrainerConfig.model_json_schema()
    return {"type": "object", "properties": {**_arguments(), **model["properties"]}}


def _arguments() -> dict[str, Any]:
    return {field.name: _field(field) for field in catalogue.release(catalogue.newest()).trainer.values()}


def _field(field: Field) -> dict[str, Any]:
    one = {"enum": list(field.choices)} if field.choices else _KINDS.get(field.kind, {})
    return {"type": "array", "items": one} if field.many else dict(one)
