"""Batch numbers for another number of learners, so that one optimizer step takes what it took before."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.split import decide
from schema.split.batch import batch
from schema.swift.argument import is_whole
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.aim import Aim
    from schema.place import Place
    from schema.split.batch import Batch
    from schema.yamltext.edit import Edit

_PER_DEVICE, _ACCUMULATION = "per_device_train_batch_size", "gradient_accumulation_steps"
_STEPS, _SIZE, _EVALUATION = "steps_per_generation", "generation_batch_size", "per_device_eval_batch_size"
_NAMES = {_ACCUMULATION: "the global batch", _STEPS: "one rollout"}


def rescaled(aim: Aim) -> Iterator[Edit]:
    """The edits that keep the global batch, and one rollout's, when W changes.

    A global batch is per_device_train_batch_size x W x gradient_accumulation_steps, one rollout
    generation_batch_size, or per_device_train_batch_size x W x steps_per_generation (ms-swift 4.5.2,
    rlhf_trainers/args_mixin.py:200-242). Where the preset has a key for the global batch, accumulation follows.

    Raises:
        InputError: no whole number keeps it, or a number is none, or nothing would tell the next call what W is.
    """
    if not aim.is_whole or aim.world_before == aim.world_after:
        return
    _refuse_uneven(aim)
    for name in _NAMES:
        if (count := _count(aim, name)) is not None:
            _refuse_unrecorded(aim, name, count)
            yield from _set(aim, name, _scaled(aim, name, count), _kept(aim, name, count))
    yield from _evaluation(aim)


def _numbers(aim: Aim, world: int) -> Batch:
    return batch(aim.preset, aim.context.trainer.config, world)


def _count(aim: Aim, name: str) -> int | None:
    # How often the learners do something, where a number says so or ms-swift takes 1.
    number = whole(aim, name)
    implied = 1 if name == _ACCUMULATION and aim.preset.effective_batch_size is None else None
    return implied if number is None else number


def whole(aim: Aim, name: str) -> int | None:
    """A positive whole number of the preset, or None if it is unset.

    Raises:
        InputError: it is set to something else.
    """
    value = aim.preset.value(name)
    if value is None:
        return None
    if is_whole(value):
        return value
    raise InputError(f"{name} is {value!r}; it must be a positive whole number", aim.context.at(name))


def _micro(aim: Aim) -> int:
    return whole(aim, _PER_DEVICE) or 1


def _scaled(aim: Aim, name: str, count: int) -> int:
    before, after, micro = aim.world_before, aim.world_after, _micro(aim)
    if name == _ACCUMULATION and (accumulation := _numbers(aim, after).accumulation) is not None:
        return accumulation
    new = decide.scaled(count, before, after)
    if new is None:
        raise InputError(
            f"{_NAMES[name]} is {_PER_DEVICE} {micro} x W {before} x {name} {count} = {micro * before * count}"
            f" completions, and no whole {name} gives that with {micro} x W {after} = {micro * after};"
            f" {_other_worlds(aim, before * count)}, or change {name} first",
            aim.context.at(name),
        )
    return new


def _other_worlds(aim: Aim, times: int) -> str:
    # In colocate mode all learn, and an engine spans TP of them.
    alone = aim.target.to == "colocate"
    near = decide.learners_for(times, aim.world_after, aim.tensor if alone else 1)
    beside = "" if alone else " with --rollout-gpus"
    return f"pass --train-gpus {' or '.join(map(str, near))}{beside}" if near else "choose another split"


def _kept(aim: Aim, name: str, count: int) -> str:
    before, after, micro, new = aim.world_before, aim.world_after, _micro(aim), _scaled(aim, name, count)
    if name == _ACCUMULATION and (effective := _numbers(aim, after).effective) is not None:
        return f"effective_batch_size {effective} is {micro} x W {after} x {new}"
    assumed = f"; W {before} is assumed: {why}" if (why := aim.assumption) else ""
    now, then = (f"{micro} x W {world} x {times}" for world, times in ((after, new), (before, count)))
    return f"{_NAMES[name]} stays {now} = {micro * after * new}, as {then}{assumed}"


def _set(aim: Aim, name: str, value: int, reason: str) -> Iterator[Edit]:
    # Where the file says it; else where it would have another one.
    setting = aim.after.arguments.get(name)
    if setting is not None and setting.key.file == aim.path:
        yield Change(setting.steps, value, reason, aim.path)
    elif aim.knows_mode and (setting.value if setting else 1) != value:
        beside = aim.preset.arguments.get(_PER_DEVICE)
        section = beside.steps[:-1] if beside else ("training",) * bool(aim.preset.top_level)
        there = aim.own.find(*section, _PER_DEVICE) is not None
        yield Add((*section, name), value, reason, _PER_DEVICE if there else None, aim.path)


def _refuse_unrecorded(aim: Aim, name: str, count: int) -> None:
    # In the nested layout a second call could not tell that the first one has scaled the number; ENV of a flat
    # preset says W.
    follows = name == _ACCUMULATION and aim.preset.effective_batch_size is not None
    if aim.changes_mode or aim.preset.apart or follows:
        return
    key = "training.effective_batch_size" if name == _ACCUMULATION else aim.preset.path(_SIZE)
    world = aim.world_before
    raise InputError(
        f"{name} is {count} for W {world}, and nothing in the preset says what W is; set {key} to"
        f" {_micro(aim) * world * count} instead, which holds for every W",
        aim.context.at(name),
    )


def _refuse_uneven(aim: Aim) -> None:
    alone = aim.target.to == "colocate" and aim.target.train_gpus is None and not aim.preset.apart
    if alone and whole(aim, _ACCUMULATION) is None:
        return  # how many GPUs a nested preset gets in colocate mode is the launch's business
    setting, effective = aim.preset.effective_batch_size, _numbers(aim, aim.world_after).effective
    if setting and effective is not None:
        _refuse_rest(aim, "effective_batch_size", effective, setting.place)
    if (size := whole(aim, _SIZE)) is not None:
        _refuse_rest(aim, _SIZE, size, aim.context.at(_SIZE))


def _refuse_rest(aim: Aim, name: str, size: int, place: Place) -> None:
    # What was uneven before is the validator's to tell, unless nobody knows how it was.
    micro, after = _micro(aim), aim.world_after
    was_even = aim.is_world_assumed or size % (micro * aim.world_before) == 0
    if size % (micro * after) and was_even:
        raise InputError(
            f"{name} is {size}, not divisible by {_PER_DEVICE} x W = {micro} x {after} = {micro * after};"
            f" {_other_worlds(aim, size // micro)}, or change {name} first",
            place,
        )


def _evaluation(aim: Aim) -> Iterator[Edit]:
    trainer, world = aim.context.trainer.config, aim.world_after
    old = whole(aim, _EVALUATION) or 1
    group = whole(aim, "num_generations_eval") or whole(aim, "num_generations") or trainer.num_generations
    if not aim.context.values.evaluates or old * world % group == 0:
        return
    step = group // gcd(world, group)
    new = -(-old // step) * step
    reason = f"{old} x W {world} = {old * world} is not made of whole groups of {group}; {new} x W {world} is"
    yield from _set(aim, _EVALUATION, new, reason)
