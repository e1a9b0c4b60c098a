"""What a checkpoint's own config.json says of the model, where the checkpoint is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from schema import jsontext

_EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")


def is_dense(model: object) -> bool | None:
    """Whether a model has no experts; None if its config is not here."""
    said = config(model)
    if said is None:
        return None
    parts = [said, *(part for part in said.values() if isinstance(part, dict))]
    return not any(part.get(name) for part in parts for name in _EXPERTS)


def sees(model: object) -> bool | None:
    """Whether a model takes pictures; None if its config is not here."""
    said = config(model)
    return None if said is None else "vision_config" in said


def config(model: object) -> dict[str, Any] | None:
    """The checkpoint's config.json; None if it is not here."""
    try:
        said = jsontext.load(Path(str(model)) / "config.json")
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
