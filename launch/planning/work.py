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
from schema.swift.argument import is_whole
from schema.swift.lengths import prompt_length

if TYPE_CHECKING:
    from schema.checkpoint import Heads
    from schema.context import Context
    from schema.models.engine import EngineConfig

#: Tokens of a prompt where the preset sets no limit.
_PROMPT = 1024


class Work(NamedTuple):
    """What a preset asks; completions are counted over all GPUs.

    Attributes:
        model: the checkpoint, as the preset names it.
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


def work(context: Context, gpus: int) -> Work:
    """What a preset asks of a node.

    Raises:
        InputError: the preset has errors, or does not generate with vLLM.
    """
    trainer, model, asked = context.trainer.config, str(context.preset.value("model")), _engine(context)
    own = _own(context, gpus)
    numbers = batch(context.preset, trainer, own.train_gpus)
    return Work(
        model=model,
        engine=asked,
        shape=_shape(model),
        heads=heads(model),
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
    absent = f"what both sides need, because {model}/config.json is not on this machine"
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
    """The preset's own plan: a server's size and its learners, or all GPUs in colocate mode."""
    trainer = context.trainer.config
    if context.preset.mode == "server" and context.server is not None:
        server = context.server.config
        tensor, engines = server.vllm_tensor_parallel_size, server.vllm_data_parallel_size
        learners = context.split.train.count if context.split.train else DEFAULT_LEARNERS
        rollout = tensor * engines
    else:
        value = context.preset.value("vllm_tensor_parallel_size")
        tensor, rollout, learners = value if is_whole(value) else 1, gpus, gpus
        engines = gpus // tensor
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
