"""What the models have in common: strict types, no unknown keys, no mutation."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import BaseModel
from pydantic import ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping


class StrictModel(BaseModel):
    """A frozen model that coerces nothing and forbids keys it does not know.

    Defaults are those of the newest catalogued release; schema/models/parse.py puts the target release's in their
    place.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        protected_namespaces=(),
        defer_build=True,
    )


@cache
def descriptions(model: type[StrictModel]) -> Mapping[str, str]:
    """What the strings below its fields say of them; pydantic would read the source for it in every start."""
    kinds = [kind for kind in reversed(model.__mro__) if issubclass(kind, StrictModel)]
    bodies = (ast.parse(inspect.getsource(kind)).body[0] for kind in kinds)
    return {name: text for body in bodies if isinstance(body, ast.ClassDef) for name, text in _described(body)}


def _described(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            yield ast.unparse(field.target), inspect.cleandoc(ast.literal_eval(below.value))
