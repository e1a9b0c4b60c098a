"""Every way to divide a node that ms-swift takes, with the batches that keep a preset's own."""

from __future__ import annotations

from itertools import product
from math import lcm
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.planning.work import Work

#: Completions that a learner's GPU takes at once, at the most.
_LARGEST = 64


class Candidate(NamedTuple):
    """One way to divide a node.

    Attributes:
        mode: server or colocate; in colocate mode both sides have all GPUs.
        rollout_gpus: TP x DP.
        train_gpus: learners (W).
        tensor_parallel: GPUs of an engine.
        data_parallel: engines.
        per_device_train_batch_size: completions of a micro-step on each of the learner's GPUs.
        gradient_accumulation_steps: micro-steps of an optimizer step.
        steps_per_generation: micro-steps that one rollout feeds.
        async_generate: whether completions are made while the learner learns.
    """

    mode: str
    rollout_gpus: int
    train_gpus: int
    tensor_parallel: int
    data_parallel: int
    per_device_train_batch_size: int
    gradient_accumulation_steps: int
    steps_per_generation: int
    async_generate: bool

    @property
    def split(self) -> tuple[str, int, int, bool]:
        """How the node is divided, whatever the batch and TP: mode, GPUs of both sides, and async_generate."""
        return self.mode, self.rollout_gpus, self.train_gpus, self.async_generate

    @property
    def gpus(self) -> int:
        """How many it needs."""
        return self.train_gpus if self.mode == "colocate" else self.rollout_gpus + self.train_gpus

    def keeps(self, work: Work) -> bool:
        """Whether whole micro-steps make the preset's optimizer step, and its rollout, of whole groups.

        ms-swift 4.5.2, rlhf_trainers/args_mixin.py:200-230.
        """
        micro = self.per_device_train_batch_size * self.train_gpus
        return micro * self.gradient_accumulation_steps == work.step and (
            micro * self.steps_per_generation == work.rollout and work.rollout % work.generations == 0
        )


def candidates(work: Work, gpus: int) -> list[Candidate]:
    """All ways that keep the preset's optimizer step and rollout; and its own, which ms-swift may not take."""
    found = [each for split in _splits(work, gpus) for each in _batches(work, *split) if each.keeps(work)]
    return found if work.own in found else [*found, work.own]


def other_batches(work: Work, gpus: int) -> Iterator[tuple[Work, list[Candidate]]]:
    """What only another optimizer step allows: the nearest one of whole groups that the learners share evenly.

    Yields:
        The work with that step, and with a rollout that is as many of it, and its candidates of such learners.
    """
    for learners in range(1, gpus):
        whole = lcm(learners, work.generations)
        step = max(whole, round(work.step / whole) * whole)
        if work.step % learners and work.rollout % work.step == 0:
            asked = work._replace(step=step, rollout=step * (work.rollout // work.step))
            splits = (split for split in _splits(asked, gpus) if split[0] == "server" and split[2] == learners)
            yield asked, [each for split in splits for each in _batches(asked, *split) if each.keeps(asked)]


def _splits(work: Work, gpus: int) -> Iterator[tuple[str, int, int, int]]:
    """Mode, rollout GPUs, learners and TP."""
    for tensor in _tensors(work, gpus):
        for rollout in range(tensor, gpus, tensor):
            yield "server", rollout, gpus - rollout, tensor
        if gpus % tensor == 0:
            yield "colocate", gpus, gpus, tensor


def _tensors(work: Work, gpus: int) -> list[int]:
    """Powers of two that divide the heads, and the preset's own TP."""
    powers = [1 << power for power in range(gpus.bit_length())]
    return sorted({each for each in powers if work.heads and work.heads.fit(each)} | {work.own.tensor_parallel})


def _batches(work: Work, mode: str, rollout: int, train: int, tensor: int) -> Iterator[Candidate]:
    sizes = sorted({1 << power for power in range(_LARGEST.bit_length())} | {work.own.per_device_train_batch_size})
    overlaps = (False, True) if mode == "server" and work.overlaps else (False,)
    for size, overlap in product(sizes, overlaps):
        steps, fed = work.step // (size * train), work.rollout // (size * train)
        if steps and fed:
            yield Candidate(mode, rollout, train, tensor, rollout // tensor, size, steps, fed, overlap)
