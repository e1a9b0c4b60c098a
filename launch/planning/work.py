"""What a preset asks of a node, however its GPUs are divided."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import cast

from launch.planning.candidates import Candidate
from schema.checkpoint import config
from schema.checkpoint import heads
from schema.checkpoint import stored
from schema.errors import InputError
from schema.shape.model import Shape
from schema.shape.model import shape
from schema.split.batch import batch
from schema.split.gpus import DEFAULT_LEARNERS
from schema.split.gpus import project_split
from schema.swift.argument import is_whole
from schema.swift.lengths import prompt_length

if TYPE_CHECKING:
    from pathlib import Path

    from schema.checkpoint import Heads
    from schema.context import Context
    from schema.models.engine import EngineConfig

#: Tokens of a prompt where the preset sets no limit.
_PROMPT = 1024


class Work(NamedTuple):
    """What a preset asks; completions are counted over all GPUs.

    Attributes:
        model: the checkpoint whose config.json tells its shape.
        engine: settings of its engine.
        shape: of the model.
        heads: of its attention; None if config.json does not say them.
        stored: bytes of the checkpoint's files.
        step: completions of one optimizer step.
        rollout: completions of one rollout.
        generations: completions for each prompt.
        prompt: tokens of a prompt, at the most that the preset allows.
        completion: tokens of a completion at the most.
        overlaps: whether async_generate is possible: not with several turns (4.5.2, arguments/rlhf_args.py:567).
        own: the plan of the preset itself.
    """

    model: str
    engine: EngineConfig
    shape: Shape
    heads: Heads | None
    stored: int
    step: int
    rollout: int
    generations: int
    prompt: int
    completion: int
    overlaps: bool
    own: Candidate


def work(context: Context, gpus: int, checkpoint: Path | None = None) -> Work:
    """What a preset asks of a node; it says where the model's config.json is, unless a checkpoint is named.

    Raises:
        InputError: the preset has errors, or does not generate with vLLM.
    """
    trainer, asked = context.trainer.config, _engine(context)
    model = str(context.preset.value("model") if checkpoint is None else checkpoint)
    own = _own(context, gpus)
    numbers = batch(context.preset, trainer, own.train_gpus)
    return Work(
        model=model,
        engine=asked,
        shape=_shape(model),
        heads=heads(config(model)),
        stored=stored(model),
        step=numbers.effective or numbers.steps(trainer) * numbers.micro,
        rollout=numbers.rollout(trainer),
        generations=trainer.num_generations,
        prompt=prompt_length(context) or _PROMPT,
        completion=trainer.max_completion_length,
        overlaps=not context.values.has("multi_turn_scheduler"),
        own=own,
    )


def _shape(model: str) -> Shape:
    settings = config(model)
    if settings is not None:
        return shape(settings)
    absent = f"memory and seconds, because {model}/config.json is not here, or is no JSON; pass --model PATH"
    return shape({})._replace(missing=(absent,))


def _engine(context: Context) -> EngineConfig:
    """Settings of the engine: the server's block, or the learner's own in colocate mode.

    Raises:
        InputError: the preset has errors, or does not generate with vLLM.
    """
    side = context.server if context.preset.mode == "server" else context.trainer
    if side is None or not side.complete or not context.trainer.complete:
        raise InputError("has errors; run `validate-config` on it", context.preset.start)
    if not context.trainer.config.use_vllm:
        raise InputError("does not generate with vLLM, so there is nothing to divide", context.preset.start)
    # The learner's own settings, in colocate mode, have those of an engine.
    return cast("EngineConfig", side.config)


def _own(context: Context, gpus: int) -> Candidate:
    """The preset's own plan: a server's size and its learners, or one group of GPUs in colocate mode."""
    trainer = context.trainer.config
    if context.preset.mode == "server" and context.server is not None:
        server = context.server.config
        tensor, engines = server.vllm_tensor_parallel_size, server.vllm_data_parallel_size
        rollout = tensor * engines
        learners = _learners(context, gpus, rollout)
    else:
        value = context.preset.value("vllm_tensor_parallel_size")
        rollout = learners = context.preset.learners.count if context.preset.learners else gpus
        tensor = value if is_whole(value) else 1
        engines = rollout // tensor
    numbers = batch(context.preset, trainer, learners)
    return Candidate(
        mode=str(context.preset.mode),
        rollout_gpus=rollout,
        train_gpus=learners,
        tensor_parallel=tensor,
        data_parallel=engines,
        per_device_train_batch_size=trainer.per_device_train_batch_size,
        gradient_accumulation_steps=numbers.steps(trainer),
        steps_per_generation=max(1, numbers.rollout(trainer) // numbers.micro),
        async_generate=trainer.async_generate,
    )


def _learners(context: Context, gpus: int, rollout: int) -> int:
    """Learners beside a server: the preset's, a project's for such a server, or what it leaves of the node."""
    if context.preset.learners:
        return context.preset.learners.count
    shares = project_split(context.preset.project, context.preset)
    if shares.train is not None and shares.rollout in (None, rollout):
        return shares.train
    return gpus - rollout if gpus > rollout else DEFAULT_LEARNERS
