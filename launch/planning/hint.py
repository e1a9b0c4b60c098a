"""What to type for a plan: how the preset becomes it, and how both sides start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schema.place import shown
from schema.shelltext import is_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.planning.candidates import Candidate
    from launch.planning.work import Work
    from schema.context import Context


def hint(context: Context, work: Work, plan: Candidate, preset: str, others: Sequence[Path]) -> Iterator[str]:
    """The steps from a preset, as the operator named its file, to a plan, a line each.

    A migration takes the others along.
    """
    command = _migration(work.own, plan)
    if command:
        files = dict.fromkeys([preset, *map(shown, others)])
        yield f"migrate-config {command} --write {' '.join(files)}"
    written = str(Path(preset).with_suffix(".yaml")) if command else preset
    if changes := list(_settings(context, work, plan, moves=bool(command))):
        yield f"set {', '.join(changes)} in {written}"
    yield from _project(context, plan)
    yield from _start(plan, written)


def _migration(own: Candidate, plan: Candidate) -> str:
    """The options of migrate-config; none where the GPUs are divided as they shall be."""
    tensor = f"--tensor-parallel {plan.tensor_parallel}"
    if plan.mode == "colocate":
        return "" if own.mode == "colocate" else f"--to colocate --train-gpus {plan.train_gpus} {tensor}"
    if own.split[:3] == plan.split[:3] and own.tensor_parallel == plan.tensor_parallel:
        return ""
    return f"--to server --rollout-gpus {plan.rollout_gpus} --train-gpus {plan.train_gpus} {tensor}"


def _settings(context: Context, work: Work, plan: Candidate, *, moves: bool) -> Iterator[str]:
    """Settings to change besides; a migration keeps the optimizer step, and the batch."""
    own, same = work.own, plan.per_device_train_batch_size == work.own.per_device_train_batch_size
    if own.mode == plan.mode == "colocate" and plan.train_gpus != own.train_gpus:
        yield f"NPROC_PER_NODE {plan.train_gpus}"
    if not same:
        yield f"per_device_train_batch_size {plan.per_device_train_batch_size}"
    follows = context.preset.effective_batch_size is not None or (moves and same)
    if not follows and (moves or plan.gradient_accumulation_steps != own.gradient_accumulation_steps):
        yield f"gradient_accumulation_steps {plan.gradient_accumulation_steps}"
    if context.preset.value("steps_per_generation") and plan.steps_per_generation != own.steps_per_generation:
        yield f"steps_per_generation {plan.steps_per_generation}"
    if own.mode == plan.mode == "colocate" and plan.tensor_parallel != own.tensor_parallel:
        yield f"vllm_tensor_parallel_size {plan.tensor_parallel}"
    if plan.async_generate != own.async_generate:
        yield f"async_generate {str(plan.async_generate).lower()}"


def _project(context: Context, plan: Candidate) -> Iterator[str]:
    """What a project says of the split of all its presets."""
    settings = context.preset.project.settings
    says = settings.rollout_gpus, settings.train_gpus
    if plan.mode == "server" and any(says) and says != (plan.rollout_gpus, plan.train_gpus):
        numbers = f"rollout-gpus = {plan.rollout_gpus} and train-gpus = {plan.train_gpus}"
        yield f"set {numbers} in [tool.rollout-split] of pyproject.toml"


def _start(plan: Candidate, preset: str) -> Iterator[str]:
    if is_script(Path(preset)):
        yield f"bash {preset}"
        return
    if plan.mode == "colocate":
        yield f"rollout-split train {preset} --gpus {_range(0, plan.train_gpus)}"
        return
    yield f"rollout-split server {preset} --gpus {_range(0, plan.rollout_gpus)}"
    yield f"rollout-split learner {preset} --gpus {_range(plan.rollout_gpus, plan.train_gpus)}"


def _range(first: int, count: int) -> str:
    return f"{first}-{first + count - 1}" if count > 1 else str(first)
