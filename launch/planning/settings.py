"""What the two sides of a plan are started with, as far as memory and time depend on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from launch.sizing.learning import ALL_LINEAR
from launch.sizing.learning import Learning
from schema.checkpoint import config
from schema.checkpoint import positions
from schema.rules.defect import Arguments
from schema.rules.defects import DEFECTS
from schema.shape.layers import ALIGNER
from schema.shape.layers import DECODER
from schema.shape.layers import TOWER
from schema.split.capacity import Engine
from schema.split.capacity import engine
from schema.split.decide import DEFAULT_SHARE
from schema.split.decide import SHARED_SHARE
from schema.swift import argument

if TYPE_CHECKING:
    from launch.planning.candidates import Candidate
    from launch.planning.work import Work
    from schema.context import Context

#: What freezes each part, and whether ms-swift does where nothing is said (4.5.2, arguments/tuner_args.py).
_FROZEN = {DECODER: ("freeze_llm", False), TOWER: ("freeze_vit", True), ALIGNER: ("freeze_aligner", True)}
#: Patches of a picture for each token that the model reads of it: they are merged 2 x 2.
_PATCHES = 4


class Sides(NamedTuple):
    """Both sides of a plan.

    Attributes:
        engine: what each engine is started with.
        learning: what each learner does.
        old: whether the policy's log-probabilities before the step cost a forward pass.
        shares_prompts: whether an engine reads the prompt of a group once.
        moves_adapters: whether adapters alone move to the engines.
        pads: whether completions of a micro-step are padded to its longest one.
    """

    engine: Engine
    learning: Learning
    old: bool = True
    shares_prompts: bool = True
    moves_adapters: bool = False
    pads: bool = True


def sides(context: Context, work: Work, plan: Candidate) -> Sides:
    """Both sides of a plan.

    Releases before 3.11.0 spare the forward pass where whole rollouts make an optimizer step (3.10.3,
    rlhf_trainers/grpo_trainer.py old_policy). vLLM's own default is to share what prompts have in common.
    """
    whole = plan.gradient_accumulation_steps % plan.steps_per_generation == 0
    return Sides(
        engine_of(context, work, plan),
        learning_of(context, work, plan),
        not (whole and context.older("3.11.0")),
        work.engine.vllm_enable_prefix_caching is not False,
        work.engine.vllm_enable_lora,
        not any(argument.truth(context.preset.value(name)) is True for name in ("padding_free", "packing")),
    )


def engine_of(context: Context, work: Work, plan: Candidate) -> Engine:
    """The preset's own engine; on GPUs of its own, or beside a learner, it gets that mode's share."""
    length = context.preset.engine("vllm_max_model_len") or positions(config(work.model))
    known = length if argument.is_whole(length) else work.prompt + work.completion
    found = engine(work.engine, plan.tensor_parallel, known)
    if plan.mode == work.own.mode:
        return found
    share = DEFAULT_SHARE if plan.mode == "server" else min(found.utilization, SHARED_SHARE)
    return found._replace(utilization=share)


def learning_of(context: Context, work: Work, plan: Candidate) -> Learning:
    """What a plan's learners do, with prompts and completions as long as the preset allows."""
    value = context.preset.value
    rank, targets = value("lora_rank"), value("target_modules")
    return Learning(
        rows=plan.per_device_train_batch_size,
        prompt=work.prompt,
        completion=work.completion,
        world=plan.train_gpus,
        zero=_zero(context),
        full=value("tuner_type") == "full" or value("train_type") == "full",
        rank=rank if argument.is_whole(rank) else 8,
        dora=argument.truth(value("use_dora")) is True,
        dropout=value("lora_dropout") not in (0, 0.0),
        trained=tuple(part for part, frozen in _FROZEN.items() if not _is_frozen(value(frozen[0]), frozen[1])),
        targets=tuple(map(str, targets)) if isinstance(targets, list) and targets else (ALL_LINEAR,),
        checkpointing=_is_checkpointed(context, work),
        reference=value("beta") != 0,
        batches=context.trainer.config.move_model_batches,
        patches=_PATCHES * work.prompt if work.shape.tower else 0,
    )


def _is_checkpointed(context: Context, work: Work) -> bool:
    """Whether activations are computed again: where the preset, or the release, says so, for its tower at least.

    What log-probabilities turn off for a moment they turn on for all parts of the model (from 3.12.0 on; 4.5.2,
    trainers/utils.py:276); in some releases a tower that is trained asks for its own.
    """
    value = context.preset.value
    if argument.truth(value("gradient_checkpointing")) is not False:
        return True
    if not work.shape.tower or context.older("3.12.0"):
        return False
    own = value("vit_gradient_checkpointing")
    if own is None:
        defect = DEFECTS["checkpointing-anyway"]
        return defect.is_in(context.release.version) and defect.when(Arguments(context))
    return argument.truth(own) is True


def _is_frozen(value: object, default: bool) -> bool:  # noqa: FBT001 - what ms-swift takes where nothing is said
    return default if value is None else argument.truth(value) is True


def _zero(context: Context) -> int | None:
    """The stage of DeepSpeed: a name such as zero2, or a configuration; None without it, or in a file."""
    deepspeed: Any = context.preset.deepspeed.value if context.preset.deepspeed else None
    if isinstance(deepspeed, dict):
        deepspeed = deepspeed.get("zero_optimization")
        return deepspeed.get("stage") if isinstance(deepspeed, dict) else None
    found = re.fullmatch(r"zero([0-3])(?:_offload)?", str(deepspeed))
    return int(found[1]) if found else None
