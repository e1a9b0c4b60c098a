"""Whether both sides of a plan fit into their GPUs."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.sizing import learner
from launch.sizing import server
from launch.sizing.learning import ALL_LINEAR
from launch.sizing.learning import Learning
from schema.checkpoint import positions
from schema.shape.layers import ALIGNER
from schema.shape.layers import DECODER
from schema.shape.layers import TOWER
from schema.split.capacity import DRIVER
from schema.split.capacity import Engine
from schema.split.capacity import engine
from schema.split.decide import DEFAULT_SHARE
from schema.split.decide import SHARED_SHARE
from schema.swift import argument

if TYPE_CHECKING:
    from launch.planning.candidates import Candidate
    from launch.planning.work import Work
    from launch.sizing.learner import LearnerFit
    from launch.sizing.server import EngineFit
    from schema.context import Context

#: What freezes each part, and whether ms-swift does where nothing is said (4.5.2, arguments/tuner_args.py).
_FROZEN = {DECODER: ("freeze_llm", False), TOWER: ("freeze_vit", True), ALIGNER: ("freeze_aligner", True)}
#: Patches of a picture for each token that the model reads of it: they are merged 2 x 2.
_PATCHES = 4


class Memory(NamedTuple):
    """Both sides of a plan; in colocate mode the same GPU.

    Attributes:
        server: an engine.
        learner: a learner's GPU, the engine beside it included where they share it.
        engine: what an engine is started with.
        engine_gib: its share of a GPU.
        fits: whether both do: yes, close, no; None if that is not known.
    """

    server: EngineFit
    learner: LearnerFit
    engine: Engine
    engine_gib: float
    fits: str | None


def memory(context: Context, work: Work, plan: Candidate, gib: float) -> Memory:
    """What both sides of a plan take of GPUs of `gib` GiB, as nvidia-smi tells it."""
    asked = _engine(context, work, plan)
    made = server.fit(work.shape, asked, gib, work.stored)
    share = _beside(plan, asked, gib)
    learns = learner.fit(work.shape, _learning(context, work, plan), gib - share)
    learns = learns._replace(gib=learns.gib + share)
    sides = {"yes" if made.fits else "no" if made.fits is False else None, learns.fits}
    fits = next((verdict for verdict in ("no", None, "close", "yes") if verdict in sides), None)
    return Memory(made, learns, asked, asked.utilization * (gib - DRIVER), fits)


def longest_prompt(context: Context, work: Work, plan: Candidate, gib: float) -> int | None:
    """Tokens of the longest prompts with which a learner may fit, at the most the preset's; None if none are."""
    left = gib - _beside(plan, _engine(context, work, plan), gib)

    def refused(prompt: int) -> bool:
        learning = _learning(context, work._replace(prompt=prompt), plan)
        return learner.fit(work.shape, learning, left).fits == "no"

    return bisect_left(range(1, work.prompt + 1), True, key=refused) or None  # noqa: FBT003 - a key's value


def _beside(plan: Candidate, asked: Engine, gib: float) -> float:
    """GiB of a learner's GPU that an engine has."""
    return asked.utilization * gib if plan.mode == "colocate" else 0.0


def _engine(context: Context, work: Work, plan: Candidate) -> Engine:
    """The preset's own engine; on GPUs of its own, or beside a learner, it gets that mode's share."""
    length = context.preset.engine("vllm_max_model_len") or positions(context.preset.engine("model"))
    known = length if argument.is_whole(length) else work.prompt + work.completion
    found = engine(work.engine, plan.tensor_parallel, known)
    if plan.mode == work.own.mode:
        return found
    share = DEFAULT_SHARE if plan.mode == "server" else min(found.utilization, SHARED_SHARE)
    return found._replace(utilization=share)


def _learning(context: Context, work: Work, plan: Candidate) -> Learning:
    value = context.preset.value
    targets = value("target_modules")
    return Learning(
        rows=plan.per_device_train_batch_size,
        prompt=work.prompt,
        completion=work.completion,
        world=plan.train_gpus,
        zero=_zero(context),
        full=value("tuner_type") == "full" or value("train_type") == "full",
        rank=_whole(value("lora_rank"), 8),
        dora=argument.truth(value("use_dora")) is True,
        dropout=value("lora_dropout") not in (0, 0.0),
        trained=tuple(part for part, frozen in _FROZEN.items() if not _is_frozen(value(frozen[0]), frozen[1])),
        targets=tuple(map(str, targets)) if isinstance(targets, list) and targets else (ALL_LINEAR,),
        checkpointing=value("gradient_checkpointing") is not False,
        reference=value("beta") != 0,
        batches=context.trainer.config.move_model_batches,
        patches=_PATCHES * work.prompt if work.shape.tower else 0,
    )


def _is_frozen(value: object, default: bool) -> bool:  # noqa: FBT001 - what ms-swift takes where nothing is said
    return default if value is None else argument.truth(value) is True


def _whole(value: object, default: int) -> int:
    return value if argument.is_whole(value) else default


def _zero(context: Context) -> int | None:
    """The stage of DeepSpeed: a name such as zero2, or a configuration; None without it, or in a file."""
    told: Any = context.preset.deepspeed.value if context.preset.deepspeed else None
    if isinstance(told, dict):
        told = told.get("zero_optimization")
        return told.get("stage") if isinstance(told, dict) else None
    found = re.fullmatch(r"zero([0-3])(?:_offload)?", str(told))
    return int(found[1]) if found else None
