"""Writes what pydantic makes of the models for pydantic-core; to call once a model has changed."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

from schema import ahead
from schema.ahead import FILE

if TYPE_CHECKING:
    from pydantic import BaseModel

MODELS = tuple(getattr(import_module(module), name) for name, module in ahead.MODELS.items())
#: What is about classes, serializers and JSON Schemas; validators need none of it.
_UNREAD = ("metadata", "serialization", "model_name", "computed_fields")


def text() -> str:
    """The data file as it should be."""
    models = (f'"{model.__name__}": {_written(_validator(model))}' for model in MODELS)
    return "{\n" + ",\n".join(models) + "\n}\n"


def _written(validator: dict[str, Any]) -> str:
    """A line for each field, so that a change of one shows as one."""
    config, schema = validator["config"], validator["schema"]
    fields = ",\n".join(f'  "{name}": {json.dumps(field)}' for name, field in schema["fields"].items())
    rest = {"type": schema["type"], "fields": {}}
    return json.dumps({"config": config, "schema": rest}).replace('"fields": {}', f'"fields": {{\n{fields}\n}}')


def _validator(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model and how strict it is; what wraps them in its class is left out.

    Raises:
        TypeError: it has a default or a function that no JSON can hold.
    """
    model.model_rebuild(force=True)
    made: dict[str, Any] = dict(model.__pydantic_core_schema__)
    while made["type"] != "model":
        made = made["schema"]
    return {"config": made["config"], "schema": _plain(made["schema"])}


def _plain(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(part, dict):
        return {name: _plain(below) for name, below in part.items() if name not in _UNREAD}
    return [_plain(each) for each in part] if isinstance(part, list) else part


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
