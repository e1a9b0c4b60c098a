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
AROUND = 2.5
#: What torch has reserved by the end, besides what a sync needs: multiples of what the largest other moment needs,
#: and of what stays. Pieces of freed memory are of use for what is as large, not for all. They fit LoRA and DoRA
#: with batches of 2 to 16 (docs/gpu-runs.md).
_PIECES, _STAYS = 1.65, 0.4
#: What a bucket of weights on their way to the server takes (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:762).
_BUCKET = 512 * 2**20

_SYNC = "sync"
#: How far the worst prediction of what is held was off, as a share.
BAND = 0.15

Fits = Literal["yes", "close", "no"]


class LearnerFit(NamedTuple):
    """One learner's GPU.

    Attributes:
        gib: in use at the most, as nvidia-smi tells it.
        reserved_gib: of these what torch has taken from the driver.
        held_gib: of these what torch holds in tensors.
        fits: `close` if tensors fit, and torch has to give back what it keeps for later; None if nothing is known.
        parts: GiB of what is there at the largest moment, by name.
        moments: GiB that torch holds at each moment of a step, by name.
        missing: why something is not known, a sentence each.
    """

    gib: float
    reserved_gib: float
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
    """Tells what a learner will need of a GPU of `gib` GiB, as nvidia-smi tells it."""
    decoder = shape.decoder
    if decoder is None or not shape.layers:
        return LearnerFit(0, 0, 0, None, {}, {}, shape.missing)
    held = states(shape, learning)
    moments = _moments(shape, decoder, learning, held)
    sums = {name: (held.kept + sum(parts.values())) / GIB for name, parts in moments.items()}
    largest = max(sums, key=sums.__getitem__)
    always = {"weights": held.weights, "adapters": held.adapters, "optimizer": held.optimizer}
    named = always | {"buckets": held.buckets} | moments[largest]
    parts = {name: size / GIB for name, size in named.items() if size}
    reserved = _reserved(held.kept / GIB, sums)
    fits = _verdict(reserved + AROUND, sums[largest] + AROUND, gib)
    return LearnerFit(reserved + AROUND, reserved, sums[largest], fits, parts, sums)


def _reserved(kept: float, sums: dict[str, float]) -> float:
    other = max(size for name, size in sums.items() if name != _SYNC)
    return sums[_SYNC] + _PIECES * (other - kept) + _STAYS * kept


def _verdict(used: float, needed: float, gib: float) -> Fits:
    if used <= gib:
        return "yes"
    return "close" if needed * (1 + BAND) <= gib else "no"


def _moments(shape: Shape, decoder: Decoder, learning: Learning, held: States) -> dict[str, dict[str, float]]:
    """What comes to what is always there, at each moment of a step."""
    work, layer = activations.work(decoder, shape, learning), activations.layer(decoder, shape, learning)
    kept = activations.checkpoints(shape, learning) if learning.checkpointing else layer * decoder.layers
    again = work + (layer if learning.checkpointing else 0)
    scores, gradient = (activations.logits(decoder, learning, backward=backward) for backward in (False, True))
    gathered = {"gathered weights": held.gathered}
    backward = {"gradients": held.gradients, "activations": kept + max(again - gradient, 0), "logits": gradient}
    return {
        _SYNC: {"weights on their way": _sync(shape, learning)},
        "log-probabilities": {"logits": scores, "activations": max(2 * work - scores, 0)} | gathered,
        "backward": backward | gathered,
        "step": {"gradients": held.gradients, "step": held.step},
    }


def _sync(shape: Shape, learning: Learning) -> float:
    """Bytes that moving merged weights needs.

    DoRA makes new weights to merge them, and again to part them while what was sent still holds the merged ones;
    LoRA changes them in place (peft 0.19.1, tuners/lora/variants.py:186; ms-swift 4.5.2,
    rlhf_trainers/rollout_mixin.py:1037). move_model_batches sends, and merges, a part at a time.
    """
    share = 1 / (learning.batches or 1)
    whole = NUMBER * shape.parameters * share if learning.gathers else 0
    layers = adapted(shape, learning)
    merged = NUMBER * sum(each.parameters for each in layers) * share if learning.dora else 0
    largest = max((each.inputs * each.outputs for each in layers), default=0)
    return whole + max(merged + 3 * NUMBER * largest, _BUCKET)
