"""The default of a field, where its source gives it as a literal."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from schema.catalogue.model import FACTORY
from schema.catalogue.model import REQUIRED
from tools.extract.classes import field_options
from tools.extract.classes import members
from tools.extract.modules import Symbol

if TYPE_CHECKING:
    from tools.extract.modules import Modules


def default_of(modules: Modules, value: Symbol | None) -> object:
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
    return default_of(modules, Symbol(owner.module, value)) if value else FACTORY


def _evaluated(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        return FACTORY
    return list(value) if isinstance(value, tuple) else value
