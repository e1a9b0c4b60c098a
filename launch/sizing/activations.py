"""Bytes that a learner's GPU holds while it computes: activations and logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.sizing.learning import adapted
from schema.shape.layers import DECODER
from schema.shape.layers import TOWER
from schema.split.capacity import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from launch.sizing.learning import Learning
    from schema.shape.decoder import Decoder
    from schema.shape.layers import Linear
    from schema.shape.model import Shape

#: Bytes for each token and word of the vocabulary, while log-probabilities and while their gradient are made: in
#: bfloat16 under DeepSpeed; else accelerate makes float32 of logits, and pieces of their gradient are put together
#: (trl 0.29.1, trainer/utils.py selective_log_softmax).
LOGITS = {True: (4, 5), False: (8, 16)}


def logits(decoder: Decoder, learning: Learning, *, backward: bool) -> int:
    """Bytes of the logits and of what is made of them."""
    return learning.logits * decoder.vocabulary * LOGITS[learning.zero is not None][backward]


def checkpoints(shape: Shape, learning: Learning) -> int:
    """Bytes that stay of each layer's input where activations are computed again."""
    tower = shape.tower
    seen = learning.rows * learning.patches * tower.hidden * tower.blocks if tower else 0
    decoder = shape.decoder
    read = learning.tokens * decoder.hidden * decoder.layers if decoder else 0
    return NUMBER * (read + (seen if TOWER in learning.trained else 0))


def layer(decoder: Decoder, shape: Shape, learning: Learning) -> int:
    """Bytes that one decoder layer keeps for its backward pass."""
    queries, keys = decoder.queries * decoder.head, decoder.keys * decoder.head
    norms = 8 * decoder.hidden + 4 * (queries + keys)  # in float32
    attention = 4 * queries + 2 * (queries + queries)  # heads of keys and values are repeated
    between = 3 * NUMBER * decoder.middle
    inputs = NUMBER * (2 * decoder.hidden + queries + decoder.middle) if learning.full else 0
    return learning.tokens * (norms + attention + between + inputs + _adapters(shape, learning))


def _adapters(shape: Shape, learning: Learning) -> int:
    """Bytes a token that the adapters of one decoder layer keep: their input, a mask, and DoRA's two results."""
    found = [each for each in adapted(shape, learning) if each.part == DECODER]
    layers = shape.decoder.layers if shape.decoder else 1
    width = NUMBER + learning.dropout
    return sum((width * each.inputs + 4 * each.outputs * learning.dora) * each.times // layers for each in found)


def norms(layers: Iterable[Linear], learning: Learning) -> int:
    """Bytes of what DoRA makes of the largest layer to norm its weight: a square, and three of the weight's size.

    It runs the two matrices over a unit matrix, in each forward pass (peft 0.19.1, tuners/lora/dora.py:91).
    """
    if not learning.dora:
        return 0
    width = NUMBER if learning.zero is not None else 3 * NUMBER
    return max((width * (each.inputs**2 + 3 * each.inputs * each.outputs) for each in layers), default=0)
