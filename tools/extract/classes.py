"""The fields of a dataclass, from its source: what ``dataclasses.fields()`` would say."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from typing import NamedTuple

from tools.extract.modules import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.extract.modules import Modules

_NO_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")


class Class(NamedTuple):
    """A class: the module that holds it, and its definition."""

    module: str
    node: ast.ClassDef


class Attribute(NamedTuple):
    """A dataclass field as its class declares it.

    Attributes:
        owner: The class whose definition wins.
        annotation: The annotation of that definition.
        default: The value, or the ``field()`` call, that gives its default; None where nothing does.
    """

    owner: Class
    annotation: ast.expr
    default: Symbol | None


def find(modules: Modules, module: str, name: str) -> Class:
    """Finds a class.

    Raises:
        LookupError: `module` has no class of that name.
    """
    symbol = modules.lookup(module, name)
    if symbol is None or not isinstance(symbol.node, ast.ClassDef):
        raise LookupError(f"{module} has no class {name}")
    return Class(symbol.module, symbol.node)


def mro(modules: Modules, cls: Class) -> list[Class]:
    """The method resolution order (C3), without the classes whose source is not at hand."""
    bases = list(_bases(modules, cls))
    return [cls, *_merge([*(mro(modules, base) for base in bases), bases])]


def fields(modules: Modules, cls: Class) -> dict[str, Attribute]:
    """The fields of `cls`, as ``dataclasses`` collects them.

    A later base's *collected* fields give way to an earlier base's, the class's own come last. A class
    without the decorator adds no fields: it passes on those of the first dataclass it derives from.
    """
    line = mro(modules, cls)
    if not is_dataclass(cls.node):
        parent = next((base for base in line if is_dataclass(base.node)), None)
        return fields(modules, parent) if parent else {}
    found: dict[str, Attribute] = {}
    for base in reversed(line[1:]):
        found |= fields(modules, base)
    return found | dict(_own(line))


def members(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    """Yields the name, the annotation and the value of each attribute that the class body sets."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                yield name, annotation, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, None, value


def field_options(value: ast.AST | None) -> dict[str, ast.expr] | None:
    """The arguments of a ``field()`` call, or of pydantic's ``Field()``; None for any other value."""
    match value:
        case ast.Call(func=ast.Name(id="field" | "Field"), args=args, keywords=keywords):
            named = {keyword.arg: keyword.value for keyword in keywords if keyword.arg}
            return {**dict(zip(["default"], args, strict=False)), **named}
    return None


def is_dataclass(node: ast.ClassDef) -> bool:
    """Whether the class is decorated as a dataclass (vLLM's ``config`` makes one, too)."""
    decorators = (getattr(decorator, "func", decorator) for decorator in node.decorator_list)
    return any(
        ast.unparse(decorator) in ("dataclass", "dataclasses.dataclass", "config") for decorator in decorators
    )


def _own(line: list[Class]) -> Iterator[tuple[str, Attribute]]:
    """Yields the fields that the first class of the line declares itself."""
    for name, annotation, value in members(line[0].node):
        if annotation is not None and not any(word in ast.unparse(annotation) for word in _NO_FIELDS):
            default = Symbol(line[0].module, value) if value is not None else _inherited(line[1:], name)
            yield name, Attribute(line[0], annotation, default)


def _inherited(line: list[Class], name: str) -> Symbol | None:
    """The value of the class attribute `name`; a factory leaves no attribute behind."""
    for cls in line:
        for member, _, value in members(cls.node):
            options = field_options(value)
            if member == name and value is not None and (options is None or "default" in options):
                return Symbol(cls.module, value)
    return None


def _bases(modules: Modules, cls: Class) -> Iterator[Class]:
    for base in cls.node.bases:
        symbol = modules.lookup(cls.module, base.id) if isinstance(base, ast.Name) else None
        if symbol and isinstance(symbol.node, ast.ClassDef):
            yield Class(symbol.module, symbol.node)


def _merge(lines: list[list[Class]]) -> Iterator[Class]:
    """C3's merge: each time the first head that no other line still has further down."""
    while lines := [line for line in lines if line]:
        heads = (line[0] for line in lines if not any(line[0] in other[1:] for other in lines))
        head = next(heads)
        yield head
        lines = [[cls for cls in line if cls != head] for line in lines]
