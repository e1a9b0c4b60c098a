"""What models are made of: linear layers and other parameters, each in a part of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The parts of a model, as ms-swift freezes them; the first two are never adapted by `all-linear`.
EMBEDDINGS, HEAD, DECODER, TOWER, ALIGNER = "embeddings", "lm_head", "llm", "vit", "aligner"
PARTS = (EMBEDDINGS, HEAD, DECODER, TOWER, ALIGNER)


class Linear(NamedTuple):
    """Layers of one shape, as transformers makes them.

    Attributes:
        name: of the module.
        inputs: numbers that it takes.
        outputs: numbers that it makes.
        times: how often the model has it.
        part: where the model has it.
        bias: whether it adds one.
    """

    name: str
    inputs: int
    outputs: int
    times: int
    part: str
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Numbers of all of them together."""
        return self.times * self.outputs * (self.inputs + self.bias)


class Other(NamedTuple):
    """Parameters that are in no linear layer: embeddings, norms, and experts, which are one tensor a layer.

    Attributes:
        name: of the module.
        parameters: numbers of all of them together.
        part: where the model has it.
    """

    name: str
    parameters: int
    part: str


Layer = Linear | Other


def parameters(layers: Iterable[Layer]) -> dict[str, int]:
    """The numbers of each part that has some."""
    counted = dict.fromkeys(PARTS, 0)
    for layer in layers:
        counted[layer.part] += layer.parameters
    return {part: number for part, number in counted.items() if number}
