"""Python modules read as source: what a name means in a module, followed through its imports."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    Source = Callable[[str], str | None]
    Bound = ast.ClassDef | ast.expr | tuple[ast.ImportFrom, str]


class Symbol(NamedTuple):
    """A definition: the module that holds it, and the class or the assigned expression."""

    module: str
    node: ast.ClassDef | ast.expr


class Module(NamedTuple):
    """A parsed module.

    Attributes:
        package: The package that its relative imports start from.
        names: What each top-level name is bound by last.
    """

    package: str
    names: dict[str, Bound]


class Modules:
    """The modules of some source trees, parsed when they are first looked up."""

    def __init__(self, *sources: Source) -> None:
        """Looks modules up in `sources`, each of which returns a path's text or None."""
        self._sources = sources
        self.load = cache(self._load)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.load(name) is not None

    def lookup(self, module: str, name: str) -> Symbol | None:
        """Finds what `name` means in `module`, or None where no source defines it."""
        loaded = self.load(module)
        match loaded.names.get(name) if loaded else None:
            case ast.ImportFrom() as statement, str(original) if loaded:
                return self.lookup(_target(statement, loaded.package), original)
            case ast.ClassDef() | ast.expr() as node:
                return Symbol(module, node)
        return None

    def _load(self, name: str) -> Module | None:
        path = name.replace(".", "/")
        for file, package in ((f"{path}.py", name.rpartition(".")[0]), (f"{path}/__init__.py", name)):
            text = self._read(file)
            if text is not None:
                return Module(package, dict(_bindings(ast.parse(text).body)))
        return None

    def _read(self, file: str) -> str | None:
        return next((text for source in self._sources if (text := source(file)) is not None), None)


def _bindings(body: Sequence[ast.stmt]) -> Iterator[tuple[str, Bound]]:
    """Yields what the statements bind, those under `if` (TYPE_CHECKING) and `try` included."""
    for statement in body:
        match statement:
            case ast.ClassDef(name=name):
                yield name, statement
            case ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name, (statement, alias.name)) for alias in names)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.If(body=inner, orelse=other) | ast.Try(body=inner, orelse=other):
                yield from _bindings([*inner, *other])


def _target(statement: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module that the statement imports from."""
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - statement.level + 1], *filter(None, [statement.module])])
