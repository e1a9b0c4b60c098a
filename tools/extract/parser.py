"""How ms-swift's command line takes a field.

Follows ``HfArgumentParser._parse_dataclass_field`` (transformers/hf_argparser.py, the same in effect from
4.57.1 to 5.19.0) and the one change that ms-swift makes to it (``_patch_get_type_hints`` in
swift/utils/utils.py): an optional union of dict and str is taken as text, to be read as JSON afterwards.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from typing import NamedTuple

from tools.extract.classes import field_options
from tools.extract.hints import NONE
from tools.extract.hints import Hint
from tools.extract.hints import resolve

if TYPE_CHECKING:
    from schema.catalogue.model import Scalar
    from tools.extract.classes import Attribute
    from tools.extract.modules import Modules

_KINDS = {name: name for name in ("bool", "int", "float")}
_KINDS |= {"literal": "choice", "enum": "choice", "union": "bool"}

# The choices that a field's metadata names instead of listing (transformers/training_args.py).
_NAMED_CHOICES = {
    "trainer_log_levels.keys()": ("detail", "debug", "info", "warning", "error", "critical", "passive"),
}


class Parsed(NamedTuple):
    """How a parser takes an option; see ``schema.catalogue.Field``."""

    kind: str
    many: bool
    nullable: bool
    choices: tuple[Scalar, ...]


def parsed(modules: Modules, attribute: Attribute) -> Parsed:
    """Says how the command line takes a field."""
    hint = resolve(modules, attribute.owner.module, attribute.annotation)
    one = _narrowed(hint)
    many = one.origin == "list"
    element = _narrowed(one.parts[0]) if many else one
    choices = element.values or _listed(attribute)
    kind = "choice" if choices else _kind(element, hint)
    return Parsed(kind, many, NONE in hint.parts or None in choices, choices)


def _narrowed(hint: Hint) -> Hint:
    """The one type of a union that the parser goes by; only a union with bool and None stays one."""
    if hint.origin != "union":
        return hint
    first, second = hint.parts[:2]
    if NONE not in hint.parts:
        return first if second.origin == "str" else second
    if Hint("bool") not in hint.parts:
        return first if second == NONE else second
    return hint


def _kind(element: Hint, hint: Hint) -> str:
    if any(part.origin == "dict" for part in (element, *hint.parts)):
        return "json"
    return _KINDS.get(element.origin, "str")


def _listed(attribute: Attribute) -> tuple[Scalar, ...]:
    """The choices in a field's metadata, which the parser passes on to argparse."""
    arguments = field_options(attribute.default.node) if attribute.default else None
    match (arguments or {}).get("metadata"):
        case ast.Dict(keys=keys, values=values):
            named = {ast.unparse(key): value for key, value in zip(keys, values, strict=True) if key}
            return _values(named["'choices'"]) if "'choices'" in named else ()
    return ()


def _values(choices: ast.expr) -> tuple[Scalar, ...]:
    return _NAMED_CHOICES.get(ast.unparse(choices)) or tuple(ast.literal_eval(choices))
