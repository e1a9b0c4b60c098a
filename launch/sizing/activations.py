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

#: Layers that take the same input.
_QKV = ("q_proj", "k_proj", "v_proj")


def logits(decoder: Decoder, learning: Learning, *, backward: bool) -> int:
    """Bytes of the logits and of what is made of them (trl 0.29.1, trainer/utils.py selective_log_softmax).

    Under DeepSpeed they stay bfloat16, and a row at a time becomes log-probabilities; those of all rows are kept
    for the backward pass, which makes three as large. Otherwise accelerate makes float32 of them.
    """
    numbers = learning.logits * decoder.vocabulary
    if learning.zero is None:
        return numbers * (16 if backward else 6)
    return numbers * 8 if backward else NUMBER * (numbers + numbers // learning.rows)


def checkpoints(shape: Shape, learning: Learning) -> int:
    """Bytes that stay of each layer's input where activations are computed again."""
    tower = shape.tower
    seen = learning.rows * learning.patches * tower.hidden * tower.blocks if tower else 0
    decoder = shape.decoder
    read = learning.tokens * decoder.hidden * decoder.layers if decoder else 0
    return NUMBER * (read + (seen if TOWER in learning.trained else 0))


def layer(decoder: Decoder, shape: Shape, learning: Learning) -> int:
    """Bytes that one decoder layer keeps for its backward pass: tensors that autograd saves (transformers 5.12.1).

    Norms work in float32, heads of keys and values are repeated, and padding makes a mask of numbers for each row.
    """
    queries, keys = decoder.queries * decoder.head, decoder.keys * decoder.head
    normed = 8 * decoder.hidden + 4 * (queries + keys)
    attention = NUMBER * (4 * queries + learning.prompt + learning.completion)
    between = 3 * NUMBER * decoder.middle
    # What trained weights and their norms take in; the output of the attention is there already.
    taken = NUMBER * (4 * decoder.hidden + decoder.middle + queries + keys) if learning.full else 0
    weights, tokens = _adapters(shape, decoder, learning)
    return learning.tokens * (normed + attention + between + taken + tokens) + weights


def _adapters(shape: Shape, decoder: Decoder, learning: Learning) -> tuple[int, int]:
    """Bytes that the adapters of one decoder layer keep, once and for each token.

    Dropout makes an input and a mask of bytes for each, and without DeepSpeed each casts its own; else those that
    take the same share it, and the output layer takes what the attention keeps anyway. DoRA keeps two results of
    each, and with dropout, but without DeepSpeed, the weights that it has cast.
    """
    found = [each for each in adapted(shape, learning) if each.part == DECODER]
    outputs = sum(each.outputs * each.times for each in found) // decoder.layers
    sizes = sum(each.inputs * each.outputs * each.times for each in found) // decoder.layers
    inputs = sum(each.inputs * each.times for each in found) // decoder.layers
    ranks = sum(each.times for each in found) * learning.rank // decoder.layers
    shared = sum(size for size, _ in {(each.inputs, each.name in _QKV) for each in found if each.name != "o_proj"})
    alone = learning.dropout or learning.zero is None
    taken = NUMBER * (inputs if alone else shared) + inputs * learning.dropout
    casts = NUMBER * sizes if learning.dora and learning.dropout and learning.zero is None else 0
    return casts, taken + NUMBER * ranks + 2 * NUMBER * outputs * learning.dora


def work(decoder: Decoder, shape: Shape, learning: Learning) -> int:
    """Bytes that a layer needs while it works and does not keep: numbers as wide as its middle, DoRA's norms."""
    wide = 2 if learning.full or learning.zero is not None else 4  # float32 adapters take and make float32
    return wide * NUMBER * learning.tokens * decoder.middle + _norms(adapted(shape, learning), learning)


def _norms(layers: Iterable[Linear], learning: Learning) -> int:
    """Bytes of what DoRA makes of the largest layer to norm its weight: a square, and three of the weight's size.

    It runs the two matrices over a unit matrix, in each forward pass (peft 0.19.1, tuners/lora/dora.py:91).
    """
    if not learning.dora:
        return 0
    width = 2 if learning.zero is not None else 4
    return max((width * (each.inputs**2 + 3 * each.inputs * each.outputs) for each in layers), default=0)
