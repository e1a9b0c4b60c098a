"""What this project takes of pydantic-core: its compiled part, without the package around that.

The package's first lines import its type hints (`pydantic_core.core_schema`), and with them typing_extensions,
decimal and fractions: a sixth of a start of `validate-config`, and no validator reads them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec
from importlib.util import module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic_core import SchemaError
    from pydantic_core import SchemaValidator
    from pydantic_core import ValidationError

__all__ = ["SchemaError", "SchemaValidator", "ValidationError"]

_PACKAGE, _COMPILED = "pydantic_core", "pydantic_core._pydantic_core"


def _core() -> ModuleType:
    """The compiled part, which the package finds when it is imported later; the package where that has come first.

    The package stands in also where a release of it keeps its compiled part elsewhere.
    """
    package = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    spec = PathFinder.find_spec(_COMPILED, package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        return import_module(_PACKAGE)
    module = sys.modules[_COMPILED] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    _made = _core()
    SchemaError, SchemaValidator, ValidationError = (getattr(_made, name) for name in __all__)
