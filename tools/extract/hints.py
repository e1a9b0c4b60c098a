"""What an annotation means, its names followed through imports and aliases."""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING
from typing import NamedTuple

from tools.extract.classes import Class
from tools.extract.classes import is_dataclass
from tools.extract.classes import members
from tools.extract.classes import mro

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from schema.catalogue.model import Scalar
    from tools.extract.modules import Modules

_BUILTINS = {name: name for name in ("bool", "int", "float", "str", "dict", "list", "tuple", "set")}
_ORIGINS = {**_BUILTINS, "Dict": "dict", "List": "list"}
_ENUMS = {"Enum", "StrEnum", "IntEnum"}


class Hint(NamedTuple):
    """A resolved annotation.

    Attributes:
        origin: The name of a built-in type, "None", "union", "literal", "enum", "dataclass" or "other".
        parts: The members of a union; the types in the brackets of a container.
        values: The values of a Literal or an Enum.
    """

    origin: str
    parts: tuple[Hint, ...] = ()
    values: tuple[Scalar, ...] = ()


NONE = Hint("None")


def resolve(modules: Modules, module: str, annotation: ast.expr) -> Hint:
    """Resolves an annotation that stands in `module`."""
    match annotation:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=str(text)):
            return resolve(modules, module, ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, right=right):
            return _union(resolve(modules, module, part) for part in (left, right))
        case ast.Name(id=name):
            return _named(modules, module, name)
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _generic(modules, module, name, inner.elts if isinstance(inner, ast.Tuple) else [inner])
    return Hint("other")


def _named(modules: Modules, module: str, name: str) -> Hint:
    if name in _ORIGINS:
        return Hint(_ORIGINS[name])
    symbol = modules.lookup(module, name)
    if symbol is None:
        return Hint("other")
    if isinstance(symbol.node, ast.expr):
        return resolve(modules, symbol.module, symbol.node)
    return _class(modules, Class(symbol.module, symbol.node))


def _class(modules: Modules, cls: Class) -> Hint:
    bases = (base for parent in mro(modules, cls) for base in parent.node.bases)
    if any(isinstance(base, ast.Name) and base.id in _ENUMS for base in bases):
        return Hint("enum", values=tuple(_members(cls.node)))
    return Hint("dataclass" if is_dataclass(cls.node) else "other")


def _members(enum: ast.ClassDef) -> Iterator[Scalar]:
    for _, _, value in members(enum):
        if isinstance(value, ast.Constant):
            yield ast.literal_eval(value)


def _generic(modules: Modules, module: str, name: str, inner: list[ast.expr]) -> Hint:
    if name == "Literal":
        return Hint("literal", values=tuple(chain(*(_values(modules, module, part) for part in inner))))
    parts = [resolve(modules, module, part) for part in inner]
    if name == "Optional":
        return _union([*parts, NONE])
    if name == "Union":
        return _union(parts)
    if name == "Annotated":
        return parts[0]
    return Hint(_ORIGINS.get(name, "other"), tuple(parts))


def _values(modules: Modules, module: str, part: ast.expr) -> tuple[Scalar, ...]:
    """The values that a part of a Literal stands for: itself, or those of another Literal."""
    match part:
        case ast.Starred(value=ast.Call(args=[inner])):
            return _values(modules, module, inner)
        case ast.Name():
            return resolve(modules, module, part).values
    value: Scalar = ast.literal_eval(part)
    return (value,)


def _union(parts: Iterable[Hint]) -> Hint:
    """A union, flattened and without repetitions, as ``typing`` makes it."""
    flat = [inner for part in parts for inner in (part.parts if part.origin == "union" else (part,))]
    return Hint("union", tuple(dict.fromkeys(flat)))
