"""One vLLM release: the options of its engine.

``kind`` follows vLLM's own command line (vllm/engine/arg_utils.py, ``_compute_kwargs``, 0.11.0 to 0.23.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.extract.hints import NONE
from tools.extract.hints import Hint
from tools.extract.hints import resolve
from tools.extract.modules import Modules
from tools.extract.options import options
from tools.extract.parser import Parsed
from tools.extract.remote import open_wheel

if TYPE_CHECKING:
    from schema.catalogue.model import Field
    from tools.extract.classes import Attribute

# The first of these that an annotation allows decides; "literal" only where no other text is allowed.
_KINDS = {
    "dataclass": "json",
    "bool": "bool",
    "literal": "choice",
    "tuple": "many",
    "list": "many",
    "set": "many",
    "int": "int",
    "float": "float",
    "dict": "json",
}


def extract(version: str) -> dict[str, Field]:
    """Reads the options of AsyncEngineArgs, which include those of EngineArgs, from a release's wheel."""
    modules = Modules(open_wheel("vllm", version).text)
    return options(modules, "vllm.engine.arg_utils", "AsyncEngineArgs", _parsed)


def _parsed(modules: Modules, attribute: Attribute) -> Parsed:
    hint = resolve(modules, attribute.owner.module, attribute.annotation)
    kind, decisive = _decided(hint)
    many = kind == "many"
    if many:
        kind, decisive = _decided(decisive.parts[0])
    return Parsed(kind, many, NONE in hint.parts, decisive.values if kind == "choice" else ())


def _decided(hint: Hint) -> tuple[str, Hint]:
    """The kind of an annotation, and the member of the union that decides it."""
    if hint.origin == "enum":
        return type(hint.values[0]).__name__, hint
    parts = {part.origin: part for part in reversed(hint.parts if hint.origin == "union" else (hint,))}
    if "str" in parts and ("literal" in parts or set(parts) == {"bool", "str", "None"}):
        return "str", parts["str"]
    return next(((kind, parts[origin]) for origin, kind in _KINDS.items() if origin in parts), ("str", hint))
