"""The values of one argument as JSON Schema: in the nested layout as they are, in the flat one as words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from typing import Any

from schema.swift import argument

if TYPE_CHECKING:
    from schema.catalogue import Field
    from schema.editors.arguments import Schema
    from schema.editors.arguments import Side
    from schema.models.strict import StrictModel

#: What JSON calls the type of a value.
_TYPES = {dict: "object", str: "string", int: "integer", float: "number", bool: "boolean"}
_INT = r"[-+]?\d[\d_]*"
#: In capitals or not; patterns of editors know no flag for that.
_TRUTH = "|".join(
    "".join(f"[{sign.upper()}{sign}]" if sign.isalpha() else sign for sign in word) for word in argument.BOOLEANS
)
_FLOAT = r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|nan)"
_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

#: What ms-swift's parser reads as each kind: the values themselves, or texts.
_WORDS: dict[str, Schema] = {
    "bool": {"type": ["boolean", "string", "integer"], "pattern": f"^({_TRUTH})$", "minimum": 0, "maximum": 1},
    "int": {"type": ["integer", "string"], "pattern": rf"^\s*({_INT})\s*$"},
    "float": {"type": ["number", "string"], "pattern": rf"^\s*({_FLOAT})\s*$"},
    "str": {"type": ["string", "number", "boolean"]},
    "json": {"type": ["object", "string"]},
}


def typed(side: Side, field: Field) -> Schema:
    """The values that an argument takes in the nested layout, where null counts as unset."""
    return nullable(_typed(side, field))


def _typed(side: Side, field: Field) -> Schema:
    model, only = side.model(field.name), side.only(field)
    if model is not None and field.name not in side.choices:
        return _of_model(model)[field.name]
    schema = {"type": _names(argument.types(field))} if only is None else {"enum": [*only]}
    return _list(field, schema, alone=field.name in argument.ONE_TEXT) if field.many else schema


def _names(types: tuple[type, ...]) -> list[str]:
    return [name for kind, name in _TYPES.items() if kind in types and not (kind is int and float in types)]


def worded(side: Side, field: Field) -> Schema:
    """The values that ms-swift's parser takes for an argument in the flat layout, where texts are as good."""
    schema = _word(side, field)
    return _list(field, schema, alone=True) if field.many else schema


def _word(side: Side, field: Field) -> Schema:
    if (only := side.only(field)) is not None:
        words = dict.fromkeys(word for choice in only for word in (choice, argument.text(choice)))
        return {"enum": [*words]} if words else {"not": {}}
    model = side.model(field.name)
    limits = {} if model is None else _of_model(model)[field.name]
    schema = _WORDS[field.kind] | {name: limits[name] for name in _LIMITS if name in limits}
    if "pattern" in schema:
        return schema | {"patternErrorMessage": f"It must be {argument.expected(field)}."}
    return {"type": ["object", *schema["type"]]} if field.name in argument.NAMES_OR_MAPPINGS else schema


def _list(field: Field, schema: Schema, *, alone: bool) -> Schema:
    # A command line cannot pass an empty list, but where that is what it says by itself.
    least = {} if field.default == [] else {"minItems": 1}
    items = {"type": "array", "items": schema} | least
    return {"anyOf": [schema, items]} if alone else items


def nullable(schema: Schema) -> Schema:
    """What takes null besides; null alone, if it takes nothing."""
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "enum" in schema:
        return schema | {"enum": list(dict.fromkeys([*schema["enum"], None]))}
    types = schema.get("type", [])
    return schema | {"type": [*([types] if isinstance(types, str) else types), "null"]}


@cache
def _of_model(model: type[StrictModel]) -> dict[str, Schema]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return {name: _plain(field) for name, field in properties.items()}


def _plain(field: dict[str, Any]) -> Schema:
    """What pydantic says of a field, without null and without what says nothing."""
    kept = ("type", "items", "enum", *_LIMITS)
    ways = [{name: way[name] for name in kept if name in way} for way in field.get("anyOf", [field])]
    ways = [{"enum": way["enum"]} if "enum" in way else way for way in ways if way.get("type") != "null"]
    if all([*way] == ["type"] for way in ways):
        return {"type": [way["type"] for way in ways]}
    return ways[0] if len(ways) == 1 else {"anyOf": ways}
