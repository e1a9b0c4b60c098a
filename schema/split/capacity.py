"""What an engine's share of a GPU holds: the tokens of its KV cache, told before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from typing import NamedTuple

from schema.checkpoint import count
from schema.checkpoint import heads
from schema.checkpoint import text_config

#: Bytes of a number in the KV cache; vLLM takes the model's own type, bfloat16 or float16, unless told otherwise.
NUMBER = 2
#: GiB that vLLM sets aside on top of the weights, for activations, graphs and CUDA itself: 2.2 to 2.7 were seen (a
#: 4.4 B Qwen3-VL of 8,192 tokens on vLLM 0.23.0).
ASIDE = 2.4
GIB = 2**30


class Capacity(NamedTuple):
    """What one token costs, and the weights, in bytes; over all GPUs of an engine."""

    token: int
    weights: int

    def tokens(self, memory: float, share: float, tensor: int) -> int:
        """Tokens that the KV cache of one engine holds, about.

        Args:
            memory: GiB of one GPU.
            share: vllm_gpu_memory_utilization.
            tensor: GPUs that the engine spans (TP).
        """
        left = memory * share - ASIDE - self.weights / tensor / GIB
        return max(0, int(left * GIB * tensor / self.token))


def capacity(model: object) -> Capacity | None:
    """What a checkpoint needs; None if it is not here, or keeps its context in another way than keys and values.

    Two vectors a layer and head, as vLLM's FullAttentionSpec counts them (0.23.0, v1/kv_cache_interface.py).
    """
    text, found = text_config(model) or {}, heads(model)
    layers = count(text, "num_hidden_layers")
    if layers is None or found is None or _keeps_less(text):
        return None
    size = count(text, "head_dim") or (count(text, "hidden_size") or 0) // found.queries
    if not size:
        return None
    token = 2 * layers * found.keys * size * NUMBER
    weights = sum(file.stat().st_size for file in Path(str(model)).glob("*.safetensors"))
    return Capacity(token, weights)


def _keeps_less(text: dict[str, Any]) -> bool:
    # Latent, linear and sliding attention do.
    kinds = text.get("layer_types") or []
    full = isinstance(kinds, list) and all(kind == "full_attention" for kind in kinds)
    return bool(text.get("kv_lora_rank") or text.get("sliding_window")) or not full
