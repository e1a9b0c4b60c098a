"""Shell text without a shell: the commands of a script, their words and variables, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: How the files are named that are read as scripts.
SUFFIXES = (".sh", ".bash", ".zsh", ".fish")


def is_script(path: Path) -> bool:
    """Whether a file is read as a script; the modules that read one are imported only then."""
    return path.suffix in SUFFIXES
