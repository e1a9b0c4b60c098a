"""Seconds of a learner's micro-step, by the numbers of its model and of its GPU.

A GPU works through what the processor has launched. With few tokens it waits for the processor, and a micro-step
takes as long as launching, however small it is; with many tokens the processor runs ahead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.sizing.learning import adapted
from schema.shape.layers import ALIGNER
from schema.shape.layers import DECODER
from schema.shape.layers import HEAD
from schema.shape.layers import TOWER
from schema.shape.layers import Linear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.planning.devices import Device
    from launch.sizing.learning import Learning
    from schema.shape.decoder import Decoder
    from schema.shape.model import Shape

#: The share of a GPU's operations that matrix products reach, and seconds for each number that a linear layer
#: takes or makes, for all that is no matrix product: norms, casts, dropout, logits, encoding of pictures. They fit
#: micro-steps of 5,808 to 11,616 tokens: LoRA and DoRA on H200, DoRA on H100 (docs/gpu-runs.md).
SHARE, _NUMBER = 0.32, 12.5e-12
#: Seconds that the processor needs to launch an operation: 34 to 45 on the hosts of docs/gpu-runs.md.
_LAUNCH = 38e-6
#: Operations of a linear layer and of its share of all others, forward and backward, and what adapters add. They
#: were counted in decoder layers of transformers 5.12.1 under PEFT 0.19.1, with dropout and checkpointing.
_FORWARD, _BACKWARD = 9.0, 15.0
_LORA, _DORA = (7.0, 4.5), (19.0, 14.4)


class Micro(NamedTuple):
    """Seconds that the processor (host) and the GPU need for one micro-step, or several."""

    host: float
    gpu: float


#: Of a model whose layers are not known, and for each token: those of 4.4 billion parameters with DoRA on H200
#: (docs/gpu-runs.md). Runs correct them, as all else.
_GUESSED = Micro(1.5, 0.38e-3)


class _Passes(NamedTuple):
    """How often a micro-step goes through a layer.

    `plain` is forward with the adapters turned off, `forward` with them; `backward` makes the gradients of what
    the layer takes, `weights` those of its weight.
    """

    plain: int
    forward: int
    backward: int
    weights: int


@lru_cache(maxsize=64)
def micro(shape: Shape, learning: Learning, device: Device, *, old: bool = True) -> Micro:
    """The seconds of one micro-step; of a model whose layers are not known only runs tell any.

    With `old` the policy's log-probabilities before the step cost a forward pass.
    """
    decoder = shape.decoder
    if decoder is None or not shape.layers:
        return Micro(_GUESSED.host, _GUESSED.gpu * learning.tokens)
    adapters = adapted(shape, learning)
    units = _units(shape, learning)
    costs = [
        _cost(
            layer, units[layer.part], _passes(layer.part, learning, old=old), learning, adapters=layer in adapters
        )
        for layer in _linears(shape, decoder)
    ]
    launches, products, numbers = (sum(each) for each in zip(*costs, strict=True))
    products += _attention(decoder, learning, _passes(DECODER, learning, old=old))
    return Micro(_LAUNCH * launches, products / (device.flops * SHARE) + _NUMBER * numbers)


def _linears(shape: Shape, decoder: Decoder) -> Iterator[Linear]:
    """The linear layers that a token goes through, and the output layer.

    The experts that a token visits count as one layer that is as wide: one product serves all experts
    (transformers 5.12.1, grouped_mm).
    """
    yield from (layer for layer in shape.linears if layer.part != HEAD)
    yield Linear(HEAD, decoder.hidden, decoder.vocabulary, 1, HEAD)
    for layer in shape.layers:
        if layer.name == "experts" and decoder.experts:
            each = layer.parameters // (3 * decoder.hidden * decoder.layers * decoder.experts)
            yield Linear(layer.name, decoder.hidden, each * decoder.visited, 3 * decoder.layers, DECODER)


def _units(shape: Shape, learning: Learning) -> dict[str, float]:
    """What goes through each part: tokens, those of completions, patches, and what they are merged to."""
    patches = learning.rows * learning.patches
    merged = patches / shape.tower.merged if shape.tower else 0
    return {DECODER: learning.tokens, HEAD: learning.logits, TOWER: patches, ALIGNER: merged}


def _passes(part: str, learning: Learning, *, old: bool) -> _Passes:
    """The passes that ms-swift makes (4.5.2, rlhf_trainers/grpo_trainer.py:777 and :953).

    Log-probabilities of the policy before the step and, if beta asks for it, of the reference come first, without
    checkpointing; then the loss, whose backward pass computes activations again. Gradients go through the decoder
    to whatever is trained, and into the tower only if something there is.
    """
    flows = part in {DECODER, HEAD} or TOWER in learning.trained or part in learning.trained
    again = flows and learning.checkpointing and part != HEAD
    trains = learning.full and (DECODER if part == HEAD else part) in learning.trained
    return _Passes(int(learning.reference), old + 1 + again, int(flows), int(trains))


def _cost(
    layer: Linear, units: float, passes: _Passes, learning: Learning, *, adapters: bool
) -> tuple[float, float, float]:
    """What the layers of one shape cost: launches, operations of matrix products, numbers that go in and out.

    DoRA with dropout multiplies by the frozen weight twice (peft 0.19.1, tuners/lora/dora.py:159).
    """
    doubled = adapters and learning.dora and learning.dropout
    more = (_DORA if learning.dora else _LORA) if adapters else (0.0, 0.0)
    through, size = passes.forward + passes.backward, layer.inputs * layer.outputs
    forward = passes.plain * _FORWARD + passes.forward * (_FORWARD + more[0])
    launches = forward + passes.backward * (_BACKWARD + more[1])
    products = 2 * size * (passes.plain + passes.weights + through * (1 + doubled))
    numbers = (layer.inputs + layer.outputs) * (passes.plain + through)
    return layer.times * launches, layer.times * units * products, layer.times * units * numbers


def _attention(decoder: Decoder, learning: Learning, passes: _Passes) -> float:
    """Operations of queries by keys and of weights by values, all of them; backward takes twice as many."""
    length = learning.prompt + learning.completion
    each = 4 * length * decoder.queries * decoder.head * decoder.layers * learning.tokens
    return each * (passes.plain + passes.forward + 2 * passes.backward)
