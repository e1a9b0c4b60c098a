"""The arithmetic of batches: what one rollout makes, and what the learners take of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.swift import argument

if TYPE_CHECKING:
    from schema.layouts.preset import Preset
    from schema.models.trainer import TrainerConfig


class Batch(NamedTuple):
    """Batch numbers of a preset on W learners; every count is one of completions.

    Attributes:
        world: W, the number of learner processes.
        micro: per_device_train_batch_size x W.
        evaluation: per_device_eval_batch_size x W.
        effective: completions of one optimizer step, or None if only accumulation says so.
    """

    world: int
    micro: int
    evaluation: int
    effective: int | None

    @property
    def accumulation(self) -> int | None:
        """Micro-batches of one optimizer step, if effective is set and divides; else None."""
        if self.effective is None or self.effective % self.micro:
            return None
        return self.effective // self.micro

    def steps(self, trainer: TrainerConfig) -> int:
        """Micro-steps of one optimizer step; ms-swift takes one where nothing says how many."""
        return trainer.gradient_accumulation_steps or self.accumulation or 1

    def rollout(self, trainer: TrainerConfig) -> int:
        """Completions that one rollout makes (ms-swift 4.5.2, rlhf_trainers/args_mixin.py:200-222)."""
        return trainer.generation_batch_size or self.micro * (trainer.steps_per_generation or self.steps(trainer))


def batch(preset: Preset, trainer: TrainerConfig, world: int) -> Batch:
    """The batch numbers of a preset on `world` learners."""
    setting = preset.effective_batch_size
    effective = setting.value if setting else None
    return Batch(
        world=world,
        micro=trainer.per_device_train_batch_size * world,
        evaluation=trainer.per_device_eval_batch_size * world,
        effective=effective if argument.is_whole(effective) else None,
    )


def eval_strategy(preset: Preset, trainer: TrainerConfig) -> str:
    """When ms-swift evaluates.

    eval_strategy falls back to save_strategy (ms-swift 4.5.2, arguments/sft_args.py:400), and is forced to
    `no` without a validation set (arguments/sft_args.py:231). A streamed dataset is not split
    (arguments/base_args/data_args.py:111).
    """
    strategy = trainer.eval_strategy or preset.value("save_strategy") or "steps"
    ratio = preset.value("split_dataset_ratio")
    splits = isinstance(ratio, int | float) and ratio > 0 and not argument.truth(preset.value("streaming"))
    validation = splits or any(
        preset.value(name) for name in ("val_dataset", "cached_val_dataset", "eval_dataset")
    )
    return argument.text(strategy) if validation else "no"
