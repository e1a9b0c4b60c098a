"""Whether a learner fits into its GPU: the largest moment of a step, and what is around it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal
from typing import NamedTuple

from launch.sizing import activations
from launch.sizing.learning import adapted
from launch.sizing.states import states
from schema.split.capacity import GIB
from schema.split.capacity import NUMBER

if TYPE_CHECKING:
    from launch.sizing.learning import Learning
    from launch.sizing.states import States
    from schema.shape.decoder import Decoder
    from schema.shape.model import Shape

#: GiB of the driver, the context and NCCL, which torch does not count.
AROUND = 1.6
#: How far the worst prediction was off, as a share.
BAND = 0.15
#: What a bucket of weights on their way to the server takes (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:762).
_BUCKET = 512 * 2**20

Fits = Literal["yes", "close", "no"]


class LearnerFit(NamedTuple):
    """One learner's GPU.

    Attributes:
        gib: in use at the most, as nvidia-smi tells it.
        held_gib: what torch holds at the most: `gib` without what it reserves, and what is not torch's.
        fits: `close` if the GPU's memory lies within the error of the prediction; None if nothing is known.
        parts: GiB of what is there at the largest moment, by name.
        moments: GiB that torch holds at each moment of a step, by name.
        missing: why something is not known, a sentence each.
    """

    gib: float
    held_gib: float
    fits: Fits | None
    parts: dict[str, float]
    moments: dict[str, float]
    missing: tuple[str, ...] = ()

    @property
    def largest(self) -> str:
        """The moment that needs most."""
        return max(self.moments, key=self.moments.__getitem__, default="")


def fit(shape: Shape, learning: Learning, gib: float) -> LearnerFit:
    """Tells what a learner will need.

    Args:
        shape: of the model.
        learning: what the learner does.
        gib: memory of its GPU, as nvidia-smi tells it.
    """
    decoder = shape.decoder
    if decoder is None or not shape.layers:
        return LearnerFit(0, 0, None, {}, {}, shape.missing)
    held = states(shape, learning)
    moments = _moments(shape, decoder, learning, held)
    sums = {name: (held.kept + sum(parts.values())) / GIB for name, parts in moments.items()}
    largest = max(sums, key=sums.__getitem__)
    always = {"weights": held.weights, "adapters": held.adapters, "optimizer": held.optimizer}
    named = always | {"buckets": held.buckets} | moments[largest]
    parts = {name: size / GIB for name, size in named.items() if size}
    used = _reserved(sums, largest) + AROUND
    return LearnerFit(used, sums[largest], _verdict(used, gib), parts, sums)


def _verdict(used: float, gib: float) -> Fits:
    if used * (1 + BAND) <= gib:
        return "yes"
    return "close" if used / (1 + BAND) <= gib else "no"


def _moments(shape: Shape, decoder: Decoder, learning: Learning, held: States) -> dict[str, dict[str, float]]:
    """What comes to what is always there, at each moment of a step."""
    layers = adapted(shape, learning)
    norms = activations.norms(layers, learning)
    layer = activations.layer(decoder, shape, learning)
    kept = activations.checkpoints(shape, learning) if learning.checkpointing else layer * decoder.layers
    gathered = {"gathered weights": held.gathered}
    scores = {"logits": activations.logits(decoder, learning, backward=False), "DoRA's norms": norms}
    gradient = activations.logits(decoder, learning, backward=True)
    again = (layer if learning.checkpointing else 0) + norms
    backward = {"gradients": held.gradients, "activations": kept + max(again - gradient, 0), "logits": gradient}
    return {
        "sync": {"weights on their way": _sync(shape, learning)},
        "log-probabilities": scores | gathered,
        "backward": backward | gathered,
        "step": {"gradients": held.gradients, "step": held.step},
    }


def _sync(shape: Shape, learning: Learning) -> float:
    """Bytes that moving merged weights needs.

    DoRA makes new weights to merge them and again to part them, while those that are sent still hold the merged ones;
    LoRA changes them in place (peft 0.19.1, tuners/lora/variants.py:186; ms-swift 4.5.2,
    rlhf_trainers/rollout_mixin.py:1037). move_model_batches sends, and merges, a part at a time.
    """
    share = 1 / (learning.batches or 1)
    whole = NUMBER * shape.parameters * share if learning.zero == 3 else 0
    merged = sum(NUMBER * each.parameters for each in adapted(shape, learning)) if learning.dora else 0
    return whole + max(merged * share, _BUCKET)


def _reserved(sums: dict[str, float], largest: str) -> float:
    """GiB that torch takes from the driver: pieces of freed memory are of use for what is as large, not for all."""
    return sums[largest] * 1.1
