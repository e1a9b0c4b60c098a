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
    one = {"type": _names(argument.types(field))} if only is None else {"enum": [*only]}
    return _list(field, one, alone=field.name in argument.ONE_TEXT) if field.many else one


def _names(types: tuple[type, ...]) -> list[str]:
    return [name for kind, name in _TYPES.items() if kind in types and not (kind is int and float in types)]


def worded(side: Side, field: Field) -> Schema:
    """The values that ms-swift's parser takes for an argument in the flat layout, where texts are as good."""
    one = _word(side, field)
    return _list(field, one, alone=True) if field.many else one


def _word(side: Side, field: Field) -> Schema:
    if (only := side.only(field)) is not None:
        words = dict.fromkeys(word for one in only for word in (one, argument.text(one)))
        return {"enum": [*words]} if words else {"not": {}}
    model = side.model(field.name)
    limits = {} if model is None else _of_model(model)[field.name]
    one = _WORDS[field.kind] | {name: limits[name] for name in _LIMITS if name in limits}
    if "pattern" in one:
        return one | {"patternErrorMessage": f"It must be {argument.expected(field)}."}
    return {"type": ["object", *one["type"]]} if field.name in argument.NAMES_OR_MAPPINGS else one


def _list(field: Field, one: Schema, *, alone: bool) -> Schema:
    # A command line cannot pass an empty list, but where that is what it says by itself.
    least = {} if field.default == [] else {"minItems": 1}
    items = {"type": "array", "items": one} | least
    return {"anyOf": [one, items]} if alone else items


def nullable(one: Schema) -> Schema:
    """What takes null besides; null alone, if it takes nothing."""
    if "anyOf" in one:
        return one | {"anyOf": [*one["anyOf"], {"type": "null"}]}
    if "enum" in one:
        return one | {"enum": list(dict.fromkeys([*one["enum"], None]))}
    types = one.get("type", [])
    return one | {"type": [*([types] if isinstance(types, str) else types), "null"]}


@cache
def _of_model(model: type[StrictModel]) -> dict[str, Schema]:
    said: dict[str, Any] = model.model_json_schema()["properties"]
    return {name: _plain(one) for name, one in said.items()}


def _plain(said: dict[str, Any]) -> Schema:
    """What pydantic says of a field, without null and without what says nothing."""
    kept = ("type", "items", "enum", *_LIMITS)
    ways = [{name: one[name] for name in kept if name in one} for one in said.get("anyOf", [said])]
    ways = [{"enum": one["enum"]} if "enum" in one else one for one in ways if one.get("type") != "null"]
    if all([*one] == ["type"] for one in ways):
        return {"type": [one["type"] for one in ways]}
    return ways[0] if len(ways) == 1 else {"anyOf": ways}
