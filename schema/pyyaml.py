"""PyYAML, which compiles its patterns when it first searches for them.

Its modules compile eleven as they are imported. The largest, of characters that no text may hold (PyYAML 6.0.3,
reader.py:137), took an eighth of a start of `validate-config`, and hardly a file needs it.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["yaml"]


class _Later:
    """A pattern that is compiled when it is first used."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._wanted = pattern, flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what a pattern has
        pattern = re.compile(*self._wanted)
        self.match, self.search = pattern.match, pattern.search  # so that neither is asked for here again
        return getattr(pattern, name)


def _imported() -> ModuleType:
    at_once = re.compile
    re.compile = _Later  # type: ignore[assignment]
    try:
        return import_module("yaml")
    finally:
        re.compile = at_once


if TYPE_CHECKING:
    import yaml
else:
    yaml = _imported()
