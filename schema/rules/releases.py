"""Rules that hold for some releases only; each compares the target release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.checkpoint import is_dense
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import choices
from schema.swift.engine import is_async
from schema.swift.engine import is_offline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context


@rule("both-batch-sizes", needs=("generation_batch_size", "steps_per_generation"))
def both_batch_sizes(context: Context) -> Iterator[Problem]:
    """generation_batch_size and steps_per_generation are both set, before ms-swift 4.4.0.

    Those releases run trl.GRPOConfig.__post_init__, which refuses the pair even where they agree (trl 0.29.1,
    trainer/grpo_config.py:839); 4.4.0 skips it (rlhf_trainers/arguments.py:104).
    """
    trainer = context.trainer.config
    both = trainer.generation_batch_size is not None and trainer.steps_per_generation is not None
    if both and context.older("4.4.0"):
        yield Problem(
            context.at("steps_per_generation"),
            "steps_per_generation is set together with generation_batch_size",
            f"{context.swift}: trl: ValueError: can not be both configured at the same time",
            "remove steps_per_generation",
        )


def refuses_engines(context: Context) -> bool:
    """Whether the target releases refuse several engines of this model, or may: its files need not be here."""
    offline = is_offline(context.preset, context.release.version, context.release.vllm)
    return offline and is_dense(context.checkpoint) is not False


@rule("dense-data-parallel", mode="server", needs=("vllm_data_parallel_size", "vllm_use_async_engine"))
def dense_data_parallel(context: Context) -> Iterator[Problem]:
    """These releases of ms-swift and vLLM cannot start several engines of a dense model.

    ms-swift #9221; schema/swift/engine.py is_offline names the releases. It is a warning if no local config.json
    tells whether the model is dense.
    """
    if context.server is None or not refuses_engines(context):
        return
    config, dense = context.server.config, is_dense(context.checkpoint)
    if config.vllm_data_parallel_size > 1:
        yield Problem(
            context.at_server("vllm_data_parallel_size"),
            f"vllm_data_parallel_size is {config.vllm_data_parallel_size}, on the sync engine"
            f"{'' if dense else ', which works for mixture-of-experts models only'}",
            f"{context.swift} with vLLM {context.release.vllm}: ValueError: Offline data parallel mode is not"
            " supported/useful for dense models",
            "use ms-swift 4.2.1 or newer, or tensor parallelism",
            None if dense else Severity.WARNING,
        )


@rule("async-engine-unawaited", mode="server", needs=("vllm_use_async_engine",))
def async_engine_unawaited(context: Context) -> Iterator[Problem]:
    """The async engine has no scheduler, in a release that does not wait for its completions.

    async_infer returns a coroutine that nobody awaits, which the worker cannot send (3.10.0 to 3.10.2,
    llm/infer/infer_engine/grpo_vllm_engine.py:146; 3.10.3 awaits it); a scheduler calls the engine itself.
    """
    preset = context.preset
    if context.server is None or not context.older("3.10.3") or preset.served("multi_turn_scheduler"):
        return
    if is_async(preset, context.release.version):
        yield Problem(
            context.at_server("vllm_use_async_engine"),
            "vllm_use_async_engine is true, without a multi_turn_scheduler",
            f"{context.swift}: the server answers nothing, and the first step hangs",
            "remove it, or use ms-swift 3.10.3 or newer",
        )


@rule("unknown-loss")
def unknown_loss(context: Context) -> Iterator[Problem]:
    """GRPO does not have the loss, or not yet in the target release.

    "Unknown loss type" at the first step, after a rollout: ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:1145.
    """
    values = context.values
    names = choices.taken(values.since, choices.LOSSES)
    losses = values.words("loss_type")
    if len(losses) == 1 and losses[0] not in names and not values.on("use_liger_kernel"):
        yield Problem(
            context.at("loss_type"),
            f"loss_type is {losses[0]!r}; it must be one of {', '.join(names)}",
            f"{context.swift}: ValueError: Unknown loss type, after the first rollout",
            "choose one of them",
        )


@rule("unknown-reward", severity=Severity.WARNING, needs=("reward_funcs",))
def unknown_reward(context: Context) -> Iterator[Problem]:
    """A reward function is not built into ms-swift, and nothing names where it comes from.

    Built-in ones are the keys of `orms` (ms-swift 4.5.2, rewards/orm.py:459); others come from
    external_plugins, or from a training repository's own entry point (`entry` in [tool.rollout-split], or
    data that only such a repository reads: custom.train_jsonl, custom.jsonl).
    """
    preset = context.preset
    plugins = preset.value("external_plugins") or preset.value("custom_register_path")
    if plugins or preset.project.settings.entry or preset.brings_data:
        return
    unknown = [name for name in context.trainer.config.reward_funcs if name not in context.release.reward_funcs]
    if unknown:
        yield Problem(
            context.at("reward_funcs"),
            f"reward_funcs names {', '.join(unknown)}, which is not built into ms-swift",
            f"{context.swift}: ValueError: reward_function is not implemented in swift.rewards, after the model"
            " was loaded",
            f"name the plugin in {preset.path('external_plugins')}, or the repository's module as entry in"
            " [tool.rollout-split] of pyproject.toml",
        )
