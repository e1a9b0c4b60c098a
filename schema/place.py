"""Where something stands: a file, a line, a column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeVar
from typing import cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Makes a named tuple of its fields, in a third of the time that its own name takes: a file has hundreds of some.
made = cast("Callable[[type[T], tuple[object, ...]], T]", tuple.__new__)


def shown(path: Path) -> str:
    """A path as a reader knows it: relative to the current directory when it is below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):  # the current directory may be gone
        return str(path)


class Place(NamedTuple):
    """A position in a file; lines and columns count from 1, as editors do.

    The end is the position behind the last character, or line 0 where only the start is known.
    """

    file: Path
    line: int = 1
    column: int = 1
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.line}:{self.column}"
