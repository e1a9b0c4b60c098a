"""What the steps of a run are made of: its GPUs, its batch numbers, its model, its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from pydantic import Field

from launch.timing import stamps
from schema.models.strict import StrictModel
from schema.split.batch import batch
from schema.swift.argument import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from launch.argv.plan import Plan
    from launch.timing.stamps import Stamp
    from schema.context import Context


class MadeOf(StrictModel):
    """What a step is made of; None is what nothing tells."""

    model: str | None = None
    """The checkpoint, as the preset names it."""
    tuner_type: str | None = None
    """lora, full, ..."""
    use_dora: bool | None = None
    """Whether each layer's weight is scaled, too: PEFT rebuilds its norm in every forward pass."""
    learners: int | None = None
    """Learner processes, one on each GPU of the learner (W)."""
    rollout_gpus: int | None = None
    """GPUs of the server: TP x DP."""
    engines: int | None = None
    """Engines of the server (DP)."""
    per_device_train_batch_size: int | None = Field(None, gt=0)
    """Completions of one micro-step on each GPU of the learner."""
    micro_steps: int | None = Field(None, gt=0)
    """Forward and backward passes of one optimizer step."""
    steps_per_generation: int | None = Field(None, gt=0)
    """Micro-steps that one rollout feeds."""
    num_iterations: int | None = None
    """How often the completions of one rollout are learned from."""
    completions: int | None = Field(None, gt=0)
    """Completions of one optimizer step, over all GPUs."""
    num_generations: int | None = None
    """Completions for each prompt."""
    max_completion_length: int | None = None
    """Tokens that a completion may have."""
    async_generate: bool = False
    """Whether the server makes the completions of the next step while the learner learns."""
    weights_gib: float | None = None
    """GiB of weights on one GPU of the server, as vLLM logs them."""
    kv_gib: float | None = None
    """GiB of KV cache on one GPU of the server."""
    kv_tokens: int | None = None
    """Tokens that the KV cache of one engine holds."""

    def told(self) -> dict[str, Any]:
        """What is known, by name."""
        return self.model_dump(exclude_none=True)

    @property
    def rollouts(self) -> float | None:
        """Rollouts for each optimizer step: 1 for most presets, fewer where several steps share one."""
        if not self.micro_steps or not self.steps_per_generation:
            return None
        return self.micro_steps / self.steps_per_generation / (self.num_iterations or 1)

    @property
    def extra_pass(self) -> bool:
        """Whether old log-probabilities cost another forward pass (ms-swift 4.5.2, grpo_trainer.py:1825)."""
        uneven = (self.micro_steps or 0) % (self.steps_per_generation or 1)
        return uneven > 0 or (self.num_iterations or 1) > 1


def made_of(context: Context, plan: Plan, server: Path | None) -> MadeOf:
    """What the steps of a learner will be made of.

    Args:
        context: its preset.
        plan: of the learner.
        server: the folder of its server's start, or None.
    """
    trainer, world, preset = context.trainer.config, len(plan.gpus), context.preset
    numbers, iterations = batch(preset, trainer, world), preset.value("num_iterations")
    return MadeOf(
        model=text(preset.value("model")),
        tuner_type=text(preset.value("tuner_type")),
        use_dora=True if preset.value("use_dora") is True else None,
        learners=world,
        rollout_gpus=plan.facts.world_size if plan.facts else None,
        engines=plan.facts.data_parallel_size if plan.facts else None,
        per_device_train_batch_size=trainer.per_device_train_batch_size,
        micro_steps=numbers.steps(trainer),
        steps_per_generation=numbers.rollout(trainer) // numbers.micro or None,
        num_iterations=iterations if is_whole(iterations) else None,
        completions=numbers.steps(trainer) * numbers.micro,
        num_generations=trainer.num_generations,
        max_completion_length=trainer.max_completion_length,
        async_generate=trainer.async_generate,
        **memory(stamps.read(server / stamps.STAMPS) if server else ()),
    )


def memory(server: Iterable[Stamp]) -> dict[str, Any]:
    """What the engines logged of their memory, by the names of MadeOf: the least of all of them."""
    found: dict[str, float] = {}
    for each in server:
        for name, value in (each.logged or {}).items() if each.what == "cache" else ():
            found[name] = min(value, found.get(name, value))
    return {name: int(value) if name == "kv_tokens" else value for name, value in found.items()}


def text(value: object) -> str | None:
    """A value that is a text, else None."""
    return value if isinstance(value, str) else None
