"""Bytes that a learner's GPU holds all the time: weights, what is trained of them, and the optimizer's state."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.sizing.learning import trainable
from schema.split.capacity import NUMBER

if TYPE_CHECKING:
    from launch.sizing.learning import Learning
    from schema.shape.model import Shape

#: Elements of DeepSpeed's bucket of gradients (ms-swift 4.5.2, config/zero2.json reduce_bucket_size).
BUCKET = 200_000_000
#: Parameters that ZeRO-3 leaves gathered (config/zero3.json stage3_max_live_parameters).
LIVE = 1_000_000_000


class States(NamedTuple):
    """Bytes that stay from step to step, and those of gradients and of the step itself.

    Attributes:
        weights: of the model as it was loaded, and of a reference model, if there is one.
        adapters: what is trained besides them.
        optimizer: the moments, and the copy of what is trained in float32.
        buckets: in which gradients travel, whether they are there or not.
        gradients: from the first backward pass to the step.
        step: what the step itself needs besides.
        gathered: what ZeRO-3 gathers of other GPUs' weights while it computes.
    """

    weights: float
    adapters: float
    optimizer: float
    buckets: float
    gradients: float
    step: float
    gathered: float

    @property
    def kept(self) -> float:
        """What is there at all times."""
        return self.weights + self.adapters + self.optimizer + self.buckets


def states(shape: Shape, learning: Learning) -> States:
    """The bytes of each.

    A full training without beta has no reference model; adapters need none, since without them the model is one
    (ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:788).
    """
    trained, zero, world = trainable(shape, learning), learning.zero, learning.world
    copies = 2 if learning.full and learning.reference else 1
    weights = copies * NUMBER * shape.parameters / (world if zero == 3 else 1)
    if zero is None:
        return _plain(weights, 0 if learning.full else trained, trained, NUMBER if learning.full else 4)
    # bfloat16 to compute with, float32 and two moments to step (deepspeed 0.18.9, runtime/zero/stage_1_and_2.py).
    adapters = 0 if learning.full else NUMBER * trained / (world if zero == 3 else 1)
    optimizer = 12 * trained / (world if zero else 1)
    gradients = NUMBER * trained / (world if zero >= 2 else 1)
    bucket = NUMBER * BUCKET if zero in {1, 2} else 0
    gathered = NUMBER * min(LIVE, shape.parameters) if learning.gathers else 0
    step = 4 * trained / (world if zero else 1)
    return States(weights, adapters, optimizer, 0, gradients + bucket, step, gathered)


def _plain(weights: float, adapters: int, trained: int, width: int) -> States:
    """Without DeepSpeed: adapters are float32, a whole model is bfloat16, and AdamW's moments are as wide.

    torch copies gradients into buckets (peft 0.19.1, tuners/tuners_utils.py:2151).
    """
    buckets = gradients = width * trained
    return States(weights, width * adapters, 2 * width * trained, buckets, gradients, 0, 0)
