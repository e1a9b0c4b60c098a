"""A JSON Schema of presets in the nested layout, made from the models and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from schema import catalogue
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.models.server import RolloutServerBlock
from schema.models.trainer import ColocateTrainerConfig

if TYPE_CHECKING:
    from schema.catalogue import Field
    from schema.models.strict import StrictModel

_KINDS: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "json": {"type": ["object", "string"]},
}


#: Any further key can only be set to null, which counts as unset.
_CLOSED = {"additionalProperties": {"type": "null"}}


def json_schema() -> dict[str, Any]:
    """The schema, for the newest catalogued ms-swift release; draft 2020-12."""
    sections = {name: _mapping(_arguments()) for name in ARGUMENT_SECTIONS}
    sections["rlhf"] = _mapping(_arguments() | _properties(ColocateTrainerConfig))
    block = _mapping(_properties(RolloutServerBlock)) | _CLOSED
    rest = {
        "extends": {"type": ["string", "array", "null"], "items": {"type": "string"}},
        "global_max_length": {"type": ["integer", "null"], "minimum": 1},
        "custom": _mapping({"extra": _mapping({"rollout_server": block})}),
        "prompts": _mapping({}),
        "deepspeed": _mapping({}),
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "GRPO preset"}
    return head | _mapping({**rest, **sections}) | _CLOSED


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    # Nothing is required, for what a file does not say may stand in one that it extends.
    nullable = {name: {"anyOf": [one, {"type": "null"}]} for name, one in properties.items()}
    return {"type": "object", "properties": nullable}


def _properties(model: type[StrictModel]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


def _arguments() -> dict[str, Any]:
    return {field.name: _field(field) for field in catalogue.release(catalogue.newest()).trainer.values()}


def _field(field: Field) -> dict[str, Any]:
    one = {"enum": list(field.choices)} if field.choices else _KINDS.get(field.kind, {})
    return {"anyOf": [{"type": "array", "items": one}, one]} if field.many else dict(one)
