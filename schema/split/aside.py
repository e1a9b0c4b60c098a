"""What vLLM sets aside on a GPU for its work, besides weights and KV cache: told before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.split.capacity import GIB
from schema.split.capacity import NUMBER

if TYPE_CHECKING:
    from schema.shape.decoder import Decoder
    from schema.shape.model import Shape
    from schema.shape.tower import Tower
    from schema.split.capacity import Engine

#: Patches of the largest picture of Qwen's processors (16,384 tokens of 2 x 2).
PATCHES = 65536
#: GiB that are not torch's, libraries and code of kernels, and what loading leaves between the weights.
_OUTSIDE = 0.3
#: GiB besides, of each GPU of an engine that spans several, for what they tell each other; measured once, at TP 2.
_TOGETHER = 1.5
#: Bytes that the sampler has for each sequence and word: logits and what it makes of them, most as float32; fewer
#: in the newer runner without CUDA graphs.
_SAMPLED, _SAMPLED_NEWER = 20, 7
#: Decoders for which vLLM has a newer runner; it does not count CUDA graphs before it takes the KV cache (0.23.0,
#: config/vllm.py:69 and v1/worker/gpu/model_runner.py:660).
_NEWER = ("llama", "mistral", "qwen3")


def aside(shape: Shape, engine: Engine, patches: int = 0) -> float:
    """GiB that vLLM sets aside for what it does besides holding weights and cache.

    It tries the largest picture, the most tokens of a step and the sampler of all sequences, keeps the most that
    one of these takes, and adds what CUDA graphs will need and what is not torch's (0.23.0,
    v1/worker/gpu_worker.py:406 and v1/worker/gpu_model_runner.py:6168). How large they are was measured. The
    patches are those of the largest picture that the processor lets through; 0 takes the usual number.
    """
    decoder, tower = shape.decoder, shape.tower
    if decoder is None:
        return _OUTSIDE
    patches = (patches or PATCHES) * _pictures(shape.kind, engine.length) if tower else 0
    seen = _picture_tokens(tower, patches) if tower else 0
    kept = seen + (_experts(decoder, engine) if decoder.experts else 0)
    moments = [_sampler(shape, decoder, engine) + kept, _step(decoder, engine) + kept]
    if tower:
        moments.append(_encoder(tower, patches, engine.tensor))
    together = _TOGETHER if engine.tensor > 1 else 0
    return _OUTSIDE + together + max(moments) / GIB + _graphs(shape, decoder, engine)


def _sampler(shape: Shape, decoder: Decoder, engine: Engine) -> int:
    each = _SAMPLED_NEWER if engine.eager and shape.kind in _NEWER else _SAMPLED
    return min(engine.sequences, engine.batched) * decoder.vocabulary * each


def _step(decoder: Decoder, engine: Engine) -> int:
    """Bytes of one layer's work on all tokens of a step."""
    return engine.batched * (5 * decoder.hidden + 3 * decoder.middle // engine.tensor) * NUMBER


def _experts(decoder: Decoder, engine: Engine) -> int:
    """Bytes in which experts work, which they keep: what each that a token visits takes and makes."""
    return engine.batched * (decoder.visited * decoder.hidden + 3 * decoder.middle // engine.tensor) * NUMBER


def _picture_tokens(tower: Tower, patches: int) -> int:
    """Bytes of the encoder's output, which stays while the decoder runs."""
    return patches // tower.merged * tower.out * (1 + tower.deep) * NUMBER


def _encoder(tower: Tower, patches: int, tensor: int) -> int:
    """Bytes of one block's work on all patches, and of the output."""
    return int(patches * (7.7 * tower.hidden + 2 * tower.middle / tensor) * NUMBER)


def _pictures(kind: str, length: int | None) -> int:
    """How many largest pictures the largest input has: videos of Qwen2-VL grow with the length of a sequence.

    vLLM 0.23.0, model_executor/models/qwen2_vl.py:1052; Qwen3-VL bounds them by the processor (qwen3_vl.py:963).
    """
    if kind not in {"qwen2_vl", "qwen2_5_vl"} or length is None:
        return 1
    return min(max(length * 4 // PATCHES, 1), 7)


def _graphs(shape: Shape, decoder: Decoder, engine: Engine) -> float:
    """GiB of CUDA graphs, of as many tokens as twice the sequences, but 512 (0.23.0, config/vllm.py:1678)."""
    if engine.eager or shape.kind in _NEWER:
        return 0.0
    largest = min(2 * engine.sequences, 512, engine.batched)
    return 0.1 + (0.05 + 0.24 * decoder.layers / 36) * largest / 512
