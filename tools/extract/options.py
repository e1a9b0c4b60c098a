"""The options that a dataclass makes, each with its default and how a parser takes it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from schema.catalogue.model import Field
from tools.extract.classes import field_options
from tools.extract.classes import fields
from tools.extract.classes import find
from tools.extract.defaults import default_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.extract.classes import Attribute
    from tools.extract.modules import Modules
    from tools.extract.parser import Parsed

    Parser = Callable[[Modules, Attribute], Parsed]


def options(modules: Modules, module: str, name: str, parser: Parser) -> dict[str, Field]:
    """The options of a dataclass, by name: its fields without those that ``__init__`` does not take."""
    found = fields(modules, find(modules, module, name))
    settable = {name: attribute for name, attribute in sorted(found.items()) if _is_settable(attribute)}
    return {name: _option(modules, name, attribute, parser) for name, attribute in settable.items()}


def _option(modules: Modules, name: str, attribute: Attribute, parser: Parser) -> Field:
    parsed = parser(modules, attribute)
    default = default_of(modules, attribute.default)
    return Field(
        name,
        *parsed._replace(nullable=parsed.nullable or default is None),
        default=default,
        annotation=ast.unparse(attribute.annotation),
        declared_by=attribute.owner.node.name,
    )


def _is_settable(attribute: Attribute) -> bool:
    arguments = field_options(attribute.default.node) if attribute.default else None
    return not arguments or "init" not in arguments or ast.unparse(arguments["init"]) != "False"
