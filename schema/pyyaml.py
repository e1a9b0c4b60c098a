"""PyYAML, which compiles its patterns when it first searches for them.

Its modules compile ten as they are imported. The largest, of characters that no text may hold (PyYAML 6.0.3,
reader.py:137), took an eighth of a start of `validate-config`, and hardly a file needs it.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["yaml"]

_compile = re.compile


class _Later:
    """A pattern that is compiled when it is first used."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._wanted = pattern, flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what a pattern has
        pattern = _compile(*self._wanted)
        self.match, self.search = pattern.match, pattern.search  # so that neither is asked for here again
        return getattr(pattern, name)

    def __reduce__(self) -> tuple[object, ...]:
        return _compile, self._wanted


def _later(pattern: str, flags: int = 0) -> object:
    # Other modules, and other threads, may compile patterns meanwhile.
    caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - as logging does
    return (_Later if caller.startswith("yaml.") else _compile)(pattern, flags)


def _imported() -> ModuleType:
    re.compile = _later  # type: ignore[assignment]
    try:
        return import_module("yaml")
    finally:
        re.compile = _compile


if TYPE_CHECKING:
    import yaml
else:
    yaml = _imported()
