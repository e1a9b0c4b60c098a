"""What an engine's share of a GPU holds: weights, and the tokens of its KV cache; `aside` says what vLLM adds.

Told before anything is loaded. All of it is for one of the GPUs that an engine spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.checkpoint import count
from schema.shape.layers import Linear
from schema.swift import argument

if TYPE_CHECKING:
    from schema.models.engine import EngineConfig
    from schema.shape.decoder import Decoder
    from schema.shape.layers import Layer
    from schema.shape.model import Shape

GIB = 2**30
#: Bytes of a number of the weights; ms-swift hands its torch_dtype to vLLM, bfloat16 or float16.
NUMBER = 2
#: Bytes of a number in the KV cache, by kv_cache_dtype (vLLM 0.23.0, config/cache.py CacheDType).
CACHE = {"auto": NUMBER, "bfloat16": 2, "float16": 2} | dict.fromkeys(("fp8", "fp8_e4m3", "fp8_e5m2"), 1)
#: GiB of a GPU that the driver keeps: nvidia-smi counts them, torch does not (H100 and H200).
DRIVER = 0.57
#: What an engine's tokens of one step are at most where nothing says it: the default of vLLM for whoever makes an
#: engine, as ms-swift does (0.23.0, engine/arg_utils.py:2503).
BATCHED = 2048
#: Parameters that each GPU of an engine has whole.
_WHOLE = ("norms", "router", "shared_expert_gate", "merger.norm")


class Engine(NamedTuple):
    """What an engine is started with, as far as its memory depends on it.

    Attributes:
        utilization: share of a GPU's memory.
        length: the most tokens of a sequence; None leaves it to the model.
        tensor: GPUs that it spans (TP).
        sequences: the most that it decodes at once.
        batched: the most tokens of one step.
        eager: without CUDA graphs.
        cache: kv_cache_dtype.
    """

    utilization: float = 0.9
    length: int | None = None
    tensor: int = 1
    sequences: int = 256
    batched: int = BATCHED
    eager: bool = False
    cache: str = "auto"


def engine(config: EngineConfig, tensor: int, length: int | None, sequences: int = 256) -> Engine:
    """The engine of a server or of a colocate learner; `sequences` counts where the config says none."""
    more = argument.mapping(config.vllm_engine_kwargs) or {}
    cache = more.get("kv_cache_dtype")
    return Engine(
        config.vllm_gpu_memory_utilization,
        length,
        tensor,
        config.vllm_max_num_seqs or sequences,
        count(more, "max_num_batched_tokens") or BATCHED,
        config.vllm_enforce_eager,
        cache if isinstance(cache, str) else "auto",
    )


def weights(shape: Shape, tensor: int, stored: int = 0) -> int:
    """Bytes of the weights on one of `tensor` GPUs; 0 if nothing tells them.

    vLLM divides all linear layers, experts, embeddings and lm_head, and copies heads of keys and values that are
    fewer than the GPUs (0.23.0, model_executor/layers/linear.py QKVParallelLinear). Of what is quantized, or not
    counted, the `stored` bytes of the checkpoint's files tell.
    """
    if shape.quantized or not shape.layers:
        return stored // tensor
    return NUMBER * sum(_shard(layer, shape.decoder, tensor) for layer in shape.layers)


def _shard(layer: Layer, decoder: Decoder | None, tensor: int) -> int:
    if layer.name in _WHOLE or layer.name.startswith("patches"):
        return layer.parameters
    if decoder and layer.name in {"k_proj", "v_proj"} and isinstance(layer, Linear):
        return layer.parameters // min(tensor, decoder.keys)
    return layer.parameters // tensor


def token(shape: Shape, tensor: int = 1, cache: str = "auto") -> int | None:
    """Bytes of the KV cache that one token takes on one GPU; None if that is not known, `unknown` says why.

    Two vectors a layer and head, as vLLM's FullAttentionSpec counts them (0.23.0, v1/kv_cache_interface.py).
    """
    decoder = shape.decoder
    if decoder is None or unknown(shape, cache):
        return None
    vectors = shape.latent or 2 * max(1, decoder.keys // tensor) * decoder.head
    return decoder.layers * vectors * CACHE[cache]


def unknown(shape: Shape, cache: str = "auto") -> str:
    """Why nothing is known of the KV cache, in words; empty if it is known."""
    if cache not in CACHE:
        return f"kv_cache_dtype {cache} is not known here"
    return "config.json does not say the numbers of the decoder" if shape.decoder is None else shape.unlike


def tokens(gib: float, engine: Engine, weights_gib: float, aside_gib: float, per_token: int) -> int:
    """Tokens that the KV cache of one engine holds, about.

    All is of one GPU: its GiB as nvidia-smi tells them, those of the weights and of what vLLM sets aside, and the
    bytes of a token.
    """
    left = (gib - DRIVER) * engine.utilization - weights_gib - aside_gib
    return max(0, int(left * GIB / per_token))
