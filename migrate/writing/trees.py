"""Which folder stands for the tree that a file is in: what is locked there, and where its journal lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from schema.resolve.project import is_root

if TYPE_CHECKING:
    from collections.abc import Iterable


def root_of(path: Path) -> Path | None:
    """The root of the project that a path is in, or None."""
    return next((folder for folder in path.parents if is_root(folder)), None)


def tree_of(path: Path) -> Path:
    """The root of the project that a file or folder really is in, else the nearest folder that is there."""
    folders = [folder for folder in _up(Path(os.path.realpath(path))) if _is_folder(folder)]
    return next((folder for folder in folders if is_root(folder)), folders[0])


def home_of(trees: Iterable[Path]) -> Path:
    """The folder that several trees have in common; the journal of a call lies there."""
    return Path(os.path.commonpath(list(trees)))


def above(folders: Iterable[Path]) -> list[Path]:
    """These folders and all folders that they are in, each once."""
    return list(dict.fromkeys(step for folder in folders for step in _up(folder)))


def missing(file: Path) -> list[Path]:
    """The folders above a file that are not there, from the top."""
    return [folder for folder in reversed(file.parents) if not _is_folder(folder)]


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - False where it may not look


def _up(path: Path) -> list[Path]:
    return [path, *path.parents]
