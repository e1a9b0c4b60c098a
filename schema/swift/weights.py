"""What weights a learner has, as far as a preset and a checkpoint tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.checkpoint import config

if TYPE_CHECKING:
    from schema.layouts.preset import Preset


def packed(preset: Preset) -> str | None:
    """How a learner packs its weights into a few bits, or None if it does not, or nothing tells.

    By quant_method (ms-swift 4.5.2, arguments/base_args/quant_args.py:44), or in a checkpoint that bitsandbytes
    has packed. What AWQ and GPTQ make is no argument, and nothing is claimed of it.
    """
    if (method := preset.value("quant_method")) is not None:
        return str(method)
    quant = (config(preset.value("model")) or {}).get("quantization_config")
    return "bitsandbytes" if isinstance(quant, dict) and quant.get("quant_method") == "bitsandbytes" else None
