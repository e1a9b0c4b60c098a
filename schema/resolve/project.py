"""The project that a preset belongs to: its root and its `[tool.rollout-split]` table."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import ValidationError
from pydantic import model_validator

from schema.errors import ProjectError
from schema.place import Place
from schema.split.gpus import MAX_GPUS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Count = Annotated[int, Field(ge=1, le=MAX_GPUS)]
_MARKERS = ("pyproject.toml", ".git")


class Settings(BaseModel):
    """The table `[tool.rollout-split]` of a project's pyproject.toml."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )

    rollout_gpus: Count | None = None
    """GPUs that roll out; TP x DP of every server-mode preset must equal it."""
    train_gpus: Count | None = None
    """GPUs that learn, one learner process each."""
    gpus: Count | None = None
    """GPUs of the node: the server of a preset takes its TP x DP, the learner has what that leaves."""
    swift_version: str | None = None
    """The ms-swift release to check against."""
    entry: str | None = None
    """The training repository's module that reads these presets and brings its own reward functions."""
    repository_keys: dict[str, list[str]] = Field(default_factory=dict)
    """By section, keys that the training repository takes out before ms-swift sees them."""

    ignore: list[str] = Field(default_factory=list)
    """Rules whose findings are silenced."""
    per_file_ignores: dict[str, list[str]] = Field(default_factory=dict)
    """By a pattern of paths below the root, rules whose findings there are silenced."""

    @model_validator(mode="after")
    def _one_node(self) -> Settings:
        """Refuses sides that the node cannot have: both are all of it, and one leaves something for the other."""
        sides = {"rollout-gpus": self.rollout_gpus, "train-gpus": self.train_gpus}
        given = {name: count for name, count in sides.items() if count is not None}
        taken = sum(given.values())
        if self.gpus is None or (taken == self.gpus if len(given) == len(sides) else taken < self.gpus):
            return self
        each = " and ".join(f"{name} {count}" for name, count in given.items())
        raise ValueError(f"gpus is {self.gpus}, which {each} contradict; set only gpus, or numbers that add up")


class Project(BaseModel):
    """A project: `root` is None when no folder above the preset is marked as one."""

    model_config = ConfigDict(frozen=True)

    root: Path | None = None
    settings: Settings = Settings()


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
        return Settings.model_validate(_table(table, "tool", "rollout-split"))
    except ValidationError as error:
        raise ProjectError(_first(error), Place(file)) from error
    except (OSError, ValueError) as error:  # no TOML, or no UTF-8
        raise ProjectError(f"cannot be read: {error}", Place(file)) from error
    except RecursionError as error:
        raise ProjectError("cannot be read: nested too deeply", Place(file)) from error


def _table(table: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        below = table.get(name, {})
        if not isinstance(below, dict):
            raise ValueError(f"{name} is {below!r}, not a table")  # noqa: TRY004 - of the file, as its other faults
        table = below
    return table


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    if problem["type"] == "value_error":
        return f"[tool.rollout-split] {problem['ctx']['error']}"
    name = ".".join(str(step) for step in problem["loc"])
    return f"[tool.rollout-split] {name}: {problem['msg'].lower()}"
