"""What a model keeps of each token of its context, from the part of config.json that is about texts."""

from __future__ import annotations

from typing import Any

from schema.checkpoint import count

_FULL = "full_attention"


def latent(text: dict[str, Any]) -> int:
    """Numbers of the one vector a layer that latent attention (MLA) keeps; 0 for keys and values.

    kv_lora_rank and qk_rope_head_dim, the same on each GPU (vLLM 0.23.0, v1/kv_cache_interface.py
    MLAAttentionSpec).
    """
    rank = count(text, "kv_lora_rank")
    return rank + (count(text, "qk_rope_head_dim") or 0) if rank else 0


def unlike(text: dict[str, Any]) -> str:
    """Why not all layers keep all tokens alike, in words; empty if they do."""
    if text.get("index_topk"):
        return "sparse attention keeps an index besides"
    kinds = text.get("layer_types")
    if isinstance(kinds, list):
        others = sorted({str(kind) for kind in kinds if kind != _FULL})
        return f"it has layers of {', '.join(others)}" if others else ""
    # Qwen's configs name a window that they do not use.
    window = text.get("sliding_window") if text.get("use_sliding_window", True) else None
    if window:
        return f"its layers keep a window of {window} tokens, or some of them do"
    mixed = next((name for name in text if name.startswith(("mamba_", "hybrid_", "linear_"))), None)
    return f"{mixed} says that not all layers have attention" if mixed else ""
