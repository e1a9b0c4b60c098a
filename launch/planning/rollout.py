"""Seconds of a rollout and of a sync, by the numbers of the model and of the engine's GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.planning.micro import SHARE
from schema.shape.layers import DECODER
from schema.split import capacity
from schema.split.capacity import NUMBER

if TYPE_CHECKING:
    from launch.planning.devices import Device
    from schema.shape.decoder import Decoder
    from schema.shape.model import Shape
    from schema.split.capacity import Engine

#: The share of a GPU's bandwidth that decoding reaches. Besides reading, seconds for each step of the decoder, for
#: each token of a completion, and for a rollout (docs/gpu-runs.md, H100 and H200, 8 to 32 sequences of an engine).
_READ, _STEP, _TOKEN, _ROLLOUT = 0.8, 0.5e-3, 0.06e-3, 0.7
#: Seconds for each token of a model whose layers are not known: runs correct it, as all else.
_GUESSED = 7e-3
#: Seconds in which the GPUs of an engine add up what each has, twice a layer: NCCL's, since ms-swift turns vLLM's
#: own all-reduce off (4.5.2, rlhf_trainers/args_mixin.py vllm_disable_custom_all_reduce). Not measured.
_SUM = 40e-6
#: Bytes a second in which merged weights reach the engines, with the merging; 8.9 GB took 0.4 to 0.7 s.
_SYNCED = 16e9
#: Seconds of a step for all else: rewards, prompts, the optimizer.
_AROUND = 0.4


class Asked(NamedTuple):
    """What one rollout asks of an engine.

    Attributes:
        sequences: that it decodes at once.
        waves: how often, one after the other.
        prompts: that it reads each time; those of a group are read once.
        prompt: tokens of a prompt.
        mean: tokens of a completion.
        longest: tokens of the longest one, which ends a wave.
    """

    sequences: float
    waves: float
    prompts: float
    prompt: int
    mean: float
    longest: float


def rollout(shape: Shape, engine: Engine, device: Device, asked: Asked, stored: int = 0) -> float:
    """Seconds of one rollout; of a model whose layers are not known only runs tell any.

    For each token of the longest completion an engine reads its weights, those of experts that some sequence
    visits, and the KV cache of all that have not ended, as if all were as long as the mean. `stored` are the bytes
    of the checkpoint's files.
    """
    decoder = shape.decoder
    if decoder is None or not shape.layers:
        return asked.waves * asked.longest * _GUESSED
    number = capacity.weights(shape, engine.tensor, stored) / shape.parameters or NUMBER / engine.tensor
    per_token = capacity.token(shape, engine.tensor, engine.cache) or 0
    written = asked.sequences * asked.mean
    kept = written * (asked.prompt + asked.mean / 2) * per_token
    sums = 2 * decoder.layers * _SUM if engine.tensor > 1 else 0
    reads = asked.longest * number * _read(shape, decoder, asked.sequences) + kept
    products = 2 * _read(shape, decoder, 1) * asked.prompts * asked.prompt
    wave = reads / (device.bandwidth * _READ) + asked.longest * (sums + _STEP) + written * _TOKEN
    return _ROLLOUT + asked.waves * (wave + products / (device.flops * SHARE * engine.tensor))


def _read(shape: Shape, decoder: Decoder, tokens: float) -> float:
    """The decoder's parameters that some tokens need at once; experts are visited by chance."""
    sparse = sum(layer.parameters for layer in shape.layers if layer.name == "experts")
    whole = shape.parts[DECODER] + decoder.hidden * decoder.vocabulary
    return whole - sparse * (1 - decoder.visited / decoder.experts) ** tokens if sparse else whole


def around(shape: Shape, numbers: int) -> float:
    """Seconds of a step in which neither side works: weights move, and what is done once a step.

    `numbers` are the parameters that move; 0 moves all of them, with the adapters merged.
    """
    return _AROUND + NUMBER * (numbers or shape.parameters) / _SYNCED
