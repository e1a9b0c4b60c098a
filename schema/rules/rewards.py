"""Rules about rewards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context


@rule("reward-weights", needs=("reward_funcs", "reward_weights", "reward_model", "use_gym_env"))
def reward_weights(context: Context) -> Iterator[Problem]:
    """The number of reward_weights differs from the number of rewards.

    Rewards are the reward functions, then the reward models, then the gym's own reward (before 4.3.0 only if there
    is no other): ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:2250, which runs after the model was loaded.
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
    """No reward at all: ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:126.

    A gym gives rewards, too: the learner's, or the server's, which a server with the sync engine does not report.
    """
    trainer, preset = context.trainer.config, context.preset
    values = Values(context)
    if trainer.reward_funcs or trainer.reward_model or values.gym or values.teacher:
        return
    # What the learner itself says of its gym counts, whatever the server has (rlhf_trainers/rollout_mixin.py:417).
    asks = preset.mode == "server" and preset.apart and not values.has("use_gym_env")
    untold = asks and (values.server("use_gym_env") or values.server("gym_env"))
    yield Problem(
        context.at("reward_funcs"),
        "there are neither reward_funcs nor a reward_model"
        + (", and the server reports its gym only with the async engine" if untold else ""),
        f"{context.swift}: ValueError: You must specify reward_funcs or reward_model",
        f"name at least one reward function in {preset.path('reward_funcs')}"
        + (f", or the gym's scheduler in {preset.server_path('multi_turn_scheduler')}" if untold else ""),
    )
