"""Rules about batch numbers; ms-swift raises them only after the server was loaded.

All are in ms-swift 4.5.2, rlhf_trainers/args_mixin.py:200-242 _init_generation_batch_params.
"""

from __future__ import annotations

from math import gcd
from math import lcm
from typing import TYPE_CHECKING

from schema.rules.base import Problem
from schema.rules.base import rule
from schema.split.batch import batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.place import Place

_SMALL = 64  # of greater groups none is proposed
_SIZES = ("generation_batch_size", "steps_per_generation", "per_device_train_batch_size")


def _world(context: Context) -> tuple[int, str] | None:
    train = context.split.train
    return (train.count, f"W = {train.count} ({context.split.train_source})") if train else None


def _next_multiple(value: int, of: int) -> int:
    return -(-value // of) * of


def _whole(context: Context, size: int) -> str:
    """The next size of a rollout that is made of whole micro-batches and of whole groups.

    It is no number where nobody says how many learners there are: a smaller one would be wrong for the next W.
    """
    trainer, world = context.trainer.config, _world(context)
    group = [] if "num_generations" in context.wrong else [trainer.num_generations]
    if world is not None and "per_device_train_batch_size" not in context.wrong:
        return str(_next_multiple(size, lcm(*group, trainer.per_device_train_batch_size * world[0])))
    groups = "".join(f"num_generations {each} and of " for each in group)
    return f"a multiple of {groups}per_device_train_batch_size x W, the number of learners"


@rule("generation-batch-size", needs=_SIZES)
def generation_batch_size(context: Context) -> Iterator[Problem]:
    """generation_batch_size is not divisible by per_device_train_batch_size x W (args_mixin.py:209).

    Set together with steps_per_generation, it must equal their product (args_mixin.py:216).
    """
    trainer, world = context.trainer.config, _world(context)
    size, steps = trainer.generation_batch_size, trainer.steps_per_generation
    if size is None or world is None:
        return
    per_device, micro = trainer.per_device_train_batch_size, trainer.per_device_train_batch_size * world[0]
    product = f"per_device_train_batch_size {per_device} x {world[1]}"
    if steps is not None and size != micro * steps:
        yield Problem(
            context.at("generation_batch_size"),
            f"generation_batch_size is {size}, but {product} x steps_per_generation {steps} = {micro * steps}",
            f"{context.swift}: ValueError{context.late}",
            f"set generation_batch_size to {_whole(context, size)}, and remove steps_per_generation"
            if size % micro
            else "remove steps_per_generation",
        )
    elif size % micro:
        yield Problem(
            context.at("generation_batch_size"),
            f"generation_batch_size is {size}, not divisible by {product} = {micro}",
            f"{context.swift}: ValueError: generation_batch_size must be divisible by the global batch"
            f" size{context.late}",
            f"set generation_batch_size to {_whole(context, size)}",
        )


@rule("num-generations", needs=("generation_batch_size", "steps_per_generation", "num_generations"))
def num_generations(context: Context) -> Iterator[Problem]:
    """One rollout is not made of whole groups (args_mixin.py:225), or a group has only one completion.

    num_generations 1: arguments/rlhf_args.py:408 refuses it without a teacher model, and before 4.4.0 trl always
    (0.29.1, trainer/grpo_config.py: "GRPO requires at least 2 generations per prompt").
    """
    trainer = context.trainer.config
    group = trainer.num_generations
    if group == 1 and not context.values.teacher:
        yield Problem(
            context.at("num_generations"),
            "num_generations is 1: a group of one has no advantage",
            f"{context.swift}: ValueError{context.late}",
            f"set num_generations to {_group(context)}",
        )
    size = rollout_size(context)
    if size is not None and size % group:
        steps = ", and remove steps_per_generation" if trainer.steps_per_generation else ""
        yield Problem(
            _size_place(context),
            f"one rollout makes {size} completions, not divisible by num_generations {group}",
            f"{context.swift}: ValueError: generation_batch_size must be evenly divisible by num_generations",
            f"set generation_batch_size to {_whole(context, size)}{steps}",
        )


def _group(context: Context) -> str:
    """The smallest group that both batches hold whole, where they hold any."""
    trainer, world = context.trainer.config, _world(context)
    size = rollout_size(context) or 0
    if world is not None and "per_device_eval_batch_size" not in context.wrong and context.values.evaluates:
        size = gcd(size, trainer.per_device_eval_batch_size * world[0])
    least = next((group for group in range(2, _SMALL) if size % group == 0), None)
    return str(least) if least else "2 or more, and the batch sizes to multiples of it"


def _size_place(context: Context) -> Place:
    names = ("generation_batch_size", "steps_per_generation", "num_generations")
    return context.at(next((name for name in names if name in context.preset.arguments), names[0]))


def rollout_size(context: Context) -> int | None:
    """Completions of one rollout; None if the preset does not say.

    Where generation_batch_size is unset, ms-swift computes it from steps_per_generation, or from accumulation.
    """
    trainer, world = context.trainer.config, _world(context)
    if trainer.generation_batch_size is not None:
        return trainer.generation_batch_size
    if world is None or "per_device_train_batch_size" in context.wrong:
        return None
    numbers = batch(context.preset, trainer, world[0])
    return None if numbers.effective and numbers.accumulation is None else numbers.rollout(trainer)


@rule(
    "eval-batch-size",
    needs=("per_device_eval_batch_size", "num_generations", "num_generations_eval", "eval_strategy"),
)
def eval_batch_size(context: Context) -> Iterator[Problem]:
    """One evaluation step is not made of whole groups (args_mixin.py:232-242).

    Before 4.0.0 trl checks num_generations even where num_generations_eval is set (0.24.0,
    trainer/grpo_config.py: "The global eval batch size ... must be divisible by num_generations").
    """
    trainer, world = context.trainer.config, _world(context)
    if world is None or not context.values.evaluates:
        return
    size = trainer.per_device_eval_batch_size * world[0]
    for name, group in _groups(context):
        if group > 1 and size % group:
            yield Problem(
                context.at("per_device_eval_batch_size"),
                f"per_device_eval_batch_size {trainer.per_device_eval_batch_size} x {world[1]} = {size}, not"
                f" divisible by {name} {group}",
                f"{context.swift}: ValueError{context.late}",
                f"set per_device_eval_batch_size to {_smallest(world[0], lcm(*dict(_groups(context)).values()))}",
            )
            return


def _groups(context: Context) -> Iterator[tuple[str, int]]:
    trainer = context.trainer.config
    if trainer.num_generations_eval is not None:
        yield "num_generations_eval", trainer.num_generations_eval
    if trainer.num_generations_eval is None or context.older("4.0.0"):
        yield "num_generations", trainer.num_generations


def _smallest(world: int, group: int) -> int:
    return group // gcd(world, group)


@rule("effective-batch-size", needs=("per_device_train_batch_size", "gradient_accumulation_steps"))
def effective_batch_size(context: Context) -> Iterator[Problem]:
    """effective_batch_size is no multiple of the micro-batch, or gradient_accumulation_steps contradicts it.

    gradient_accumulation_steps = effective_batch_size / (per_device_train_batch_size x W); a training
    repository that rounds it up silently trains with a larger batch than the preset says.
    """
    setting = context.preset.effective_batch_size
    if setting is None:
        return
    if not isinstance(setting.value, int) or isinstance(setting.value, bool) or setting.value < 1:
        yield Problem(
            setting.place, f"effective_batch_size is {setting.value!r}; it must be a positive whole number"
        )
    elif (world := _world(context)) is not None:
        yield from _effective(context, world, setting.value, setting.place)


def _effective(context: Context, world: tuple[int, str], effective: int, place: Place) -> Iterator[Problem]:
    trainer = context.trainer.config
    numbers = batch(context.preset, trainer, world[0])
    product = f"per_device_train_batch_size {trainer.per_device_train_batch_size} x {world[1]} = {numbers.micro}"
    if numbers.accumulation is None:
        yield Problem(
            place,
            f"effective_batch_size is {effective}, not divisible by {product}",
            "if it were rounded up, the learner would train with a larger batch than the preset says",
            f"set effective_batch_size to {_next_multiple(effective, numbers.micro)}",
        )
    elif trainer.gradient_accumulation_steps not in (None, numbers.accumulation):
        yield Problem(
            context.at("gradient_accumulation_steps"),
            f"gradient_accumulation_steps is {trainer.gradient_accumulation_steps}, but effective_batch_size"
            f" {effective} / ({product}) = {numbers.accumulation}",
            "one of the two would be ignored",
            "remove gradient_accumulation_steps",
        )


@rule("streaming-without-max-steps")
def streaming_without_max_steps(context: Context) -> Iterator[Problem]:
    """A streamed dataset has no length, and max_steps, which says when to stop, is not set.

    transformers' Trainer raises after the model was loaded ("max_steps has to be specified", 5.12.1,
    trainer.py:690; ms-swift 4.5.2, arguments/base_args/data_args.py:46 says so).
    """
    v = context.values
    if v.on("streaming") and v.number("max_steps") <= 0:
        yield Problem(
            context.at("streaming"),
            f"streaming is true, but max_steps is {context.preset.value('max_steps') or 'not set'}",
            f"{context.swift}: ValueError: max_steps has to be specified{context.late}",
            f"set {context.preset.path('max_steps')}",
        )
