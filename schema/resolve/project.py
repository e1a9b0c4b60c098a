"""The project that a preset belongs to: its root and its `[tool.rollout-split]` table."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Any

from schema.ahead import Ahead
from schema.core import ValidationError
from schema.errors import ProjectError
from schema.place import Place

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from schema.resolve.settings import Settings

_MARKERS = ("pyproject.toml", ".git")
_SETTINGS: Ahead[Settings] = Ahead("Settings")


class Project:
    """A project: `root` is None when no folder above the preset is marked as one."""

    def __init__(self, root: Path | None = None, settings: Settings | None = None) -> None:
        self.root = root
        self.settings = settings or _SETTINGS.constructed({})


def find_project(path: Path) -> Project:
    """The project of a preset: the nearest folder above it that has a pyproject.toml or a .git.

    Raises:
        InputError: that pyproject.toml cannot be read, or its table holds something else than Settings.
    """
    for folder in path.parents:
        if is_root(folder):
            return _project(folder)
    return Project()


def is_root(folder: Path) -> bool:
    """Whether a folder is marked as the root of a project."""
    return any(os.path.exists(folder / marker) for marker in _MARKERS)  # noqa: PTH110 - False where it may not look


@lru_cache(maxsize=64)
def _project(root: Path) -> Project:
    file = root / "pyproject.toml"
    if not file.is_file():
        return Project(root=root)
    return Project(root=root, settings=_settings(file))


def _settings(file: Path) -> Settings:
    try:
        with file.open("rb") as stream:
            table: dict[str, Any] = tomllib.load(stream)
        settings = _SETTINGS.validated(_table(table, "tool", "rollout-split"))
    except ValidationError as error:
        raise ProjectError(_first(error), Place(file)) from error
    except (OSError, ValueError) as error:  # no TOML, or no UTF-8
        raise ProjectError(f"cannot be read: {error}", Place(file)) from error
    except RecursionError as error:
        raise ProjectError("cannot be read: nested too deeply", Place(file)) from error
    _refuse_two_nodes(settings, file)
    return settings


def _table(table: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        below = table.get(name, {})
        if not isinstance(below, dict):
            raise ValueError(f"{name} is {below!r}, not a table")  # noqa: TRY004 - of the file, as its other faults
        table = below
    return table


def _refuse_two_nodes(settings: Settings, file: Path) -> None:
    """Refuses sides that the node cannot have: both are all of it, and one leaves something for the other."""
    sides = {"rollout-gpus": settings.rollout_gpus, "train-gpus": settings.train_gpus}
    given = {name: count for name, count in sides.items() if count is not None}
    taken, whole = sum(given.values()), settings.gpus
    if whole is None or (taken == whole if len(given) == len(sides) else taken < whole):
        return
    each = " and ".join(f"{name} {count}" for name, count in given.items())
    what = f"gpus is {whole}, which {each} contradict; set only gpus, or numbers that add up"
    raise ProjectError(f"[tool.rollout-split] {what}", Place(file))


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    name = ".".join(str(step) for step in problem["loc"])
    return f"[tool.rollout-split] {name}: {problem['msg'].lower()}"
