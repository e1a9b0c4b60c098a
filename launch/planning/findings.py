"""What a preset's own plan lacks: room in its engines and learners, and work for its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.planning.memory import beside
from launch.planning.memory import longest_prompt
from launch.planning.settings import learning_of
from launch.sizing.learner import AROUND
from launch.sizing.learner import BAND
from schema.rules.base import Problem
from schema.split import capacity
from schema.split.capacity import DRIVER
from schema.split.capacity import GIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.planning.memory import Memory
    from launch.planning.work import Work
    from schema.context import Context

#: More of a GPU than this no engine should ask for, since others use a little of it, too.
_MOST = 0.95
_ZERO3 = 3


def findings(context: Context, work: Work, taken: Memory, gib: float) -> Iterator[Problem]:
    """All that is known to be wrong with the preset's own plan, by its memory on GPUs of `gib` GiB."""
    yield from engine(context, work, taken, gib)
    yield from learner(context, work, taken, gib)
    yield from idle(context, work)


def engine(context: Context, work: Work, taken: Memory, gib: float) -> Iterator[Problem]:
    """An engine that vLLM refuses to start: its share of a GPU holds no sequence of full length."""
    made, length = taken.server, taken.engine.length or 1
    if made.fits is not False:
        return
    rest = taken.engine_gib - made.weights_gib - made.aside_gib
    parts = f"weights {made.weights_gib:.1f} GiB, set aside {made.aside_gib:.1f} GiB"
    lacks = (
        f"leaves a KV cache of about {made.kv_tokens:,} tokens, and one sequence may have {length:,}"
        if rest > 0
        else "is less than it needs before it has a KV cache"
    )
    yield Problem(
        context.at_engine("vllm_gpu_memory_utilization"),
        f"the engine's share of a GPU, {taken.engine_gib:.1f} of {gib:.1f} GiB, {lacks} ({parts})",
        "vLLM: ValueError: the engine does not start",
        _more(work, taken, gib),
    )


def _more(work: Work, taken: Memory, gib: float) -> str:
    """The smallest share with room for a sequence; other ways where no share has."""
    asked, made = taken.engine, taken.server
    each = capacity.token(work.shape, asked.tensor, asked.cache) or 0
    before = made.weights_gib + made.aside_gib
    share = (before + each * (asked.length or 1) / GIB) / (gib - DRIVER) + 0.01
    if share <= _MOST:
        room = ", if the learner beside it has room" if work.own.mode == "colocate" else ""
        return f"set vllm_gpu_memory_utilization to {share:.2f} or more{room}"
    shorter = ", or lower vllm_max_model_len" if before < _MOST * (gib - DRIVER) else ""
    return f"raise vllm_tensor_parallel_size, so that more GPUs share an engine{shorter}"


def learner(context: Context, work: Work, taken: Memory, gib: float) -> Iterator[Problem]:
    """A learner that runs out of memory where prompts are as long as the preset allows."""
    made, shared = taken.learner, beside(work.own, taken.engine, gib)
    if made.fits != "no":
        return
    longest = longest_prompt(context, work, work.own, gib)
    leaves = " that the engine beside it leaves" if shared else ""
    fits = f"prompts of at most about {longest} tokens fit" if longest else "no prompt is short enough to fit"
    yield Problem(
        context.at("per_device_train_batch_size"),
        f"a learner needs {made.held_gib + AROUND:.0f} GiB, {BAND:.0%} more or less, of {gib - shared:.0f} GiB"
        f"{leaves}, if prompts have {work.prompt} tokens; {fits}",
        f"{context.swift}: torch.OutOfMemoryError{context.late}",
        ", or ".join(_less(context, work, longest)),
    )


def _less(context: Context, work: Work, longest: int | None) -> Iterator[str]:
    """What makes a learner need less, as far as the preset has not done it."""
    asked = learning_of(context, work, work.own)
    if asked.rows > 1:
        yield "lower per_device_train_batch_size"
    if longest:
        yield "lower max_length"
    if asked.world > 1 and asked.zero != _ZERO3:
        yield "divide the model with zero3"
    if work.own.mode == "colocate":
        yield "lower vllm_gpu_memory_utilization"
    yield "take larger GPUs"


def refused(context: Context, work: Work, gpus: int, errors: int) -> Iterator[Problem]:
    """A preset that asks for more GPUs than there are, or in which validate-config finds errors."""
    needed = work.own.gpus
    if needed > gpus:
        what = f"it needs {needed} GPUs, and the node has {gpus}"
        yield Problem(context.preset.start, what, "a side finds too few devices", "take another plan")
    if errors:
        counted = "an error" if errors == 1 else f"{errors} errors"
        refuses = f"{context.swift} refuses it, or does something else than is planned"
        yield Problem(context.preset.start, f"the preset has {counted}", refuses, "run validate-config on it")


def idle(context: Context, work: Work) -> Iterator[Problem]:
    """Engines without work: a rollout is dealt out to them, and one that gets nothing makes a placeholder.

    ms-swift 4.5.2, pipelines/infer/rollout.py:1053.
    """
    own = work.own
    if own.mode == "server" and work.rollout < own.data_parallel:
        yield Problem(
            context.at_server("vllm_data_parallel_size"),
            f"a rollout has {work.rollout} completions, and there are {own.data_parallel} engines",
            f"{context.swift}: {own.data_parallel - work.rollout} engines make a placeholder in each rollout",
            "lower vllm_data_parallel_size, or raise generation_batch_size",
        )
