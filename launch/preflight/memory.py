"""Checks of memory: what an engine and a learner will need, of the GPUs that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.planning import findings
from launch.planning.memory import longest_prompt
from launch.planning.memory import memory
from launch.planning.work import work
from launch.preflight.base import check
from schema.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Snapshot
    from schema.rules.base import Problem


@check("engine-memory", severity=Severity.WARNING, sides=("server",))
def engine_memory(snapshot: Snapshot) -> Iterator[Problem]:
    """An engine's share of a GPU will probably hold no sequence of full length, so vLLM refuses to start it.

    "No available memory for the cache blocks", or "To serve at least one request with the model's max seq len ...
    KV cache is needed, which is larger than the available KV cache memory" (vLLM 0.23.0,
    v1/core/kv_cache_utils.py:721 and 741). Told from the checkpoint's config.json, without loading anything;
    14 measured engines had within 0.6 % of the tokens that are predicted.
    """
    gib, context = _smallest(snapshot), snapshot.context
    if gib is not None:
        needs = work(context, len(snapshot.plan.gpus))
        yield from findings.engine(context, needs, memory(context, needs, needs.own, gib), gib)


@check("learner-memory", severity=Severity.WARNING, sides=("learner",))
def learner_memory(snapshot: Snapshot) -> Iterator[Problem]:
    """A learner will probably run out of memory, however short its prompts are.

    torch.OutOfMemoryError in the first step. Told from the checkpoint's config.json, without loading anything;
    seven measured learners had in use within 8 % of what is predicted. `rollout-split plan` tells whether prompts
    that are as long as the preset allows fit.
    """
    gib, context = _smallest(snapshot), snapshot.context
    if gib is not None:
        needs = work(context, len(snapshot.plan.gpus))
        if not longest_prompt(context, needs, needs.own, gib):
            yield from findings.learner(context, needs, memory(context, needs, needs.own, gib), gib)


def _smallest(snapshot: Snapshot) -> float | None:
    """GiB of the smallest GPU of this side; None if that is not known."""
    known = map(snapshot.gpu, snapshot.plan.gpus)
    return min((gpu.total_gib for gpu in known if gpu and gpu.total), default=None)
