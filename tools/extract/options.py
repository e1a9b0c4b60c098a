"""The options that a dataclass makes, each with how a parser takes it, and its default if that is a literal."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from schema.catalogue.model import FACTORY
from schema.catalogue.model import REQUIRED
from schema.catalogue.model import Field
from tools.extract.classes import field_options
from tools.extract.classes import fields
from tools.extract.classes import find
from tools.extract.classes import members
from tools.extract.modules import Symbol

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
    default = _default(modules, attribute.default)
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


def _default(modules: Modules, value: Symbol | None) -> object:
    """The literal that a field's definition sets, ``REQUIRED`` for none, ``FACTORY`` for no literal."""
    if value is None:
        return REQUIRED
    arguments = field_options(value.node)
    if arguments is None:
        return _literal(modules, value)
    if "default" in arguments:
        return _literal(modules, Symbol(value.module, arguments["default"]))
    if "default_factory" in arguments:
        return _made(modules, Symbol(value.module, arguments["default_factory"]))
    return REQUIRED


def _made(modules: Modules, factory: Symbol) -> object:
    """What a factory makes: an empty container or a lambda's literal."""
    match factory.node:
        case ast.Name(id="list"):
            return []
        case ast.Name(id="dict"):
            return {}
        case ast.Lambda(body=body):
            return _literal(modules, Symbol(factory.module, body))
    return FACTORY


def _literal(modules: Modules, symbol: Symbol) -> object:
    """The value of a literal, of a constant's name, or of a class's attribute (such as an Enum's member)."""
    match symbol.node:
        case ast.Name(id=name):
            target = modules.lookup(symbol.module, name)
            return _literal(modules, target) if target else FACTORY
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return _attribute(modules, modules.lookup(symbol.module, name), attribute)
        case ast.Call(func=ast.Name(id="get_field"), args=[ast.Name(id=name), ast.Constant(value=attribute)]):
            return _attribute(modules, modules.lookup(symbol.module, name), str(attribute))
        case ast.expr() as node:
            return _evaluated(node)
    return FACTORY


def _attribute(modules: Modules, owner: Symbol | None, name: str) -> object:
    """The default of a class's attribute."""
    if owner is None or not isinstance(owner.node, ast.ClassDef):
        return FACTORY
    value = next((value for member, _, value in members(owner.node) if member == name), None)
    return _default(modules, Symbol(owner.module, value)) if value else FACTORY


def _evaluated(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        return FACTORY
    return list(value) if isinstance(value, tuple) else value
