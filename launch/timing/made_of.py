"""What the steps of a run are made of: its GPUs, its batch numbers, its model, its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Annotated
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


Count = Annotated[int, Field(gt=0, lt=1 << 53)] | None
Gib = Annotated[float, Field(allow_inf_nan=False)] | None


class MadeOf(StrictModel):
    """What a step is made of; None is what nothing tells."""

    model: str | None = None
    """The checkpoint, as the preset names it."""
    tuner_type: str | None = None
    """lora, full, ..."""
    use_dora: bool | None = None
    """Whether each layer's weight is scaled, too: PEFT rebuilds its norm in every forward pass."""
    learners: Count = None
    """Learner processes, one on each GPU of the learner (W)."""
    rollout_gpus: Count = None
    """GPUs of the server: TP x DP."""
    engines: Count = None
    """Engines of the server (DP)."""
    per_device_train_batch_size: Count = None
    """Completions of one micro-step on each GPU of the learner."""
    micro_steps: Count = None
    """Forward and backward passes of one optimizer step."""
    steps_per_generation: Count = None
    """Micro-steps that one rollout feeds."""
    num_iterations: Count = None
    """How often the completions of one rollout are learned from."""
    completions: Count = None
    """Completions of one optimizer step, over all GPUs."""
    num_generations: Count = None
    """Completions for each prompt."""
    max_completion_length: Count = None
    """Tokens that a completion may have."""
    old_log_probabilities: str | None = None
    """Why those of the policy before the step cost another forward pass, where they need not."""
    multi_turn: bool | None = None
    """Whether a completion has several turns."""
    async_generate: bool = False
    """Whether the server makes the completions of the next step while the learner learns."""
    weights_gib: Gib = None
    """GiB of weights on one GPU of the server, as vLLM logs them."""
    kv_gib: Gib = None
    """GiB of KV cache on one GPU of the server."""
    kv_tokens: Count = None
    """Tokens that the KV cache of one engine holds."""

    def document(self) -> dict[str, Any]:
        """What is known, by name."""
        return self.model_dump(exclude_none=True)

    @property
    def at_once(self) -> float | None:
        """Completions that each engine makes in one rollout."""
        if not self.completions or not self.micro_steps:
            return None
        return (
            self.completions
            * (self.steps_per_generation or self.micro_steps)
            / self.micro_steps
            / (self.engines or 1)
        )


def made_of(context: Context, plan: Plan, server: Path | None) -> MadeOf:
    """What the steps of a learner will be made of; `server` is the folder of its server's start."""
    trainer, world, preset = context.trainer.config, len(plan.gpus), context.preset
    numbers, iterations = batch(preset, trainer, world), preset.value("num_iterations")
    fed = numbers.rollout(trainer) // numbers.micro or None
    return MadeOf(
        model=text(preset.value("model")),
        tuner_type=text(preset.value("tuner_type")),
        use_dora=True if preset.value("use_dora") is True else None,
        learners=world,
        rollout_gpus=plan.facts.world_size if plan.facts else None,
        engines=plan.facts.data_parallel_size if plan.facts else None,
        per_device_train_batch_size=trainer.per_device_train_batch_size,
        micro_steps=numbers.steps(trainer),
        steps_per_generation=fed,
        num_iterations=iterations if is_whole(iterations) else None,
        completions=numbers.steps(trainer) * numbers.micro,
        num_generations=trainer.num_generations,
        max_completion_length=trainer.max_completion_length,
        old_log_probabilities=_extra_pass(context, numbers.steps(trainer), fed, iterations),
        multi_turn=context.values.has("multi_turn_scheduler") or None,
        async_generate=trainer.async_generate,
        **memory(stamps.read(server / stamps.STAMPS, wanted=lambda line: '"cache"' in line) if server else ()),
    )


def _extra_pass(context: Context, steps: int, fed: int | None, iterations: object) -> str | None:
    """Why old log-probabilities cost a forward pass that the numbers could spare.

    Before 3.11.0 alone: later releases always compute them (3.10.3, grpo_trainer.py old_policy; 4.5.2, :778).
    """
    if not context.older("3.11.0"):
        return None
    if is_whole(iterations) and iterations > 1:
        return f"num_iterations is {iterations}"
    return f"{steps} micro-steps are no multiple of steps_per_generation {fed}" if fed and steps % fed else None


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
