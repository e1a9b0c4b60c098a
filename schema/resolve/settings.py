"""What the table `[tool.rollout-split]` of a project's pyproject.toml may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

from schema.split.gpus import MAX_GPUS

Count = Annotated[int, Field(ge=1, le=MAX_GPUS)]


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
    repository_keys: dict[str, list[str]] = {}
    """By section, keys that the training repository takes out before ms-swift sees them."""

    ignore: list[str] = []
    """Rules whose findings are silenced."""
    per_file_ignores: dict[str, list[str]] = {}
    """By a pattern of paths below the root, rules whose findings there are silenced."""
