"""What a checkpoint's own config.json says of the model, where the checkpoint is on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Kinds of rope scaling that leave the length as the checkpoint says it.
_AS_TRAINED = ("default", "mrope", "su", "longrope", "llama3")
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


def positions(model: object) -> int | None:
    """Tokens that a model takes at the most, as vLLM derives it; None if its config is not here, or does not say.

    Of the text part, times the factor of rope scaling where that stretches positions (vLLM 0.23.0, config/model.py
    _get_and_verify_max_len).
    """
    said = config(model) or {}
    text = said.get("text_config")
    text = text if isinstance(text, dict) else said
    most = text.get("max_position_embeddings")
    rope = text.get("rope_parameters") or text.get("rope_scaling")
    if not isinstance(most, int) or isinstance(most, bool) or (rope and not isinstance(rope, dict)):
        return None
    return _stretched(most, rope or {})


def _stretched(most: int, rope: dict[str, Any]) -> int | None:
    kind, factor = rope.get("rope_type", rope.get("type", "default")), rope.get("factor", 1.0)
    if kind in _AS_TRAINED:
        return most
    original = rope.get("original_max_position_embeddings", most) if kind == "yarn" else most
    numbers = isinstance(factor, int | float) and isinstance(original, int)
    return int(original * factor) if numbers else None


def config(model: object) -> dict[str, Any] | None:
    """The checkpoint's config.json; None if it is not here."""
    try:
        said = json.loads((Path(str(model)) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
