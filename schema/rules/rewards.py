"""Rules about rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.rules.base import Problem
from schema.rules.base import rule
from schema.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context


@rule("reward-weights", needs=("reward_funcs", "reward_weights", "reward_model", "use_gym_env"))
def reward_weights(context: Context) -> Iterator[Problem]:
    """reward_weights has another length than the rewards.

    Reward functions, then reward models, then the gym's own reward (before 4.3.0 only where there is no other):
    ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:2250, when the trainer is built: after the model was loaded.
    """
    trainer = context.trainer.config
    values = context.values
    rewards = len(trainer.reward_funcs) + len(trainer.reward_model or ())
    rewards += values.gym and (values.since("4.3.0") or not rewards)
    weights = trainer.reward_weights
    if weights is not None and len(weights) != rewards:
        yield Problem(
            context.at("reward_weights"),
            f"reward_weights has {len(weights)} weights for {rewards} rewards (reward_funcs in line"
            f" {context.at('reward_funcs').line} of {context.at('reward_funcs').file.name})",
            f"{context.swift}: ValueError: Number of reward weights must match number of reward functions,"
            " after the model was loaded",
            "give each reward one weight, in the same order",
        )


@rule("no-reward", needs=("reward_funcs", "reward_model"))
def no_reward(context: Context) -> Iterator[Problem]:
    """No reward at all: ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:126."""
    trainer, preset = context.trainer.config, context.preset
    values = Values(preset, trainer, context.release)
    if not trainer.reward_funcs and not trainer.reward_model and not values.gym and not values.teacher:
        yield Problem(
            context.at("reward_funcs"),
            "there are neither reward_funcs nor a reward_model",
            f"{context.swift}: ValueError: You must specify reward_funcs or reward_model",
            f"name at least one reward function in {preset.path('reward_funcs')}",
        )
