"""Batch numbers for another number of learners, so that one optimizer step takes what it took before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.edits import Add
from migrate.edits import Change
from schema.batch import evaluates
from schema.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.edits import Edit
    from migrate.native.pair import Pair

_PER_DEVICE, _ACCUMULATION = "per_device_train_batch_size", "gradient_accumulation_steps"
_STEPS, _SIZE = "steps_per_generation", "generation_batch_size"


def rescaled(pair: Pair, before: int, after: int) -> Iterator[Edit]:
    """The edits that keep the global batch, and one rollout's, when W goes from `before` to `after`.

    A global batch is per_device_train_batch_size x W x gradient_accumulation_steps, one rollout
    generation_batch_size, or per_device_train_batch_size x W x steps_per_generation (ms-swift 4.5.2,
    rlhf_trainers/args_mixin.py:200-242).

    Raises:
        InputError: no whole number keeps it, or a number is none.
    """
    if before == after:
        return
    yield _scaled(pair, _ACCUMULATION, "the global batch", before, after)
    if pair.whole(_STEPS) is not None:
        yield _scaled(pair, _STEPS, "one rollout", before, after)
    _refuse_split_rollout(pair, after)
    yield from _evaluation(pair, after)


def _scaled(pair: Pair, name: str, what: str, before: int, after: int) -> Edit:
    micro, old = pair.whole(_PER_DEVICE) or 1, pair.whole(name) or 1
    total = micro * before * old
    new, rest = divmod(before * old, after)
    if rest:
        raise InputError(
            f"{what} is {_PER_DEVICE} {micro} x W {before} x {name} {old} = {total} completions, and no whole"
            f" {name} makes that of {micro} x W {after} = {micro * after}; say other --rollout-gpus and"
            f" --train-gpus, or change {name} first",
            pair.context.at(name),
        )
    reason = f"{what} stays {micro} x W {after} x {new} = {micro * after * new}, as {micro} x W {before} x {old}"
    return _set(pair, name, new, reason, _PER_DEVICE)


def _set(pair: Pair, name: str, value: int, reason: str, after: str) -> Edit:
    if pair.preset.tree.find(name) is not None:
        return Change((name,), value, reason)
    return Add((name,), value, reason, after if pair.preset.tree.find(after) is not None else None)


def _refuse_split_rollout(pair: Pair, after: int) -> None:
    micro, size = (pair.whole(_PER_DEVICE) or 1) * after, pair.whole(_SIZE)
    if size is not None and size % micro:
        raise InputError(
            f"{_SIZE} is {size}, not divisible by {_PER_DEVICE} x W = {micro // after} x {after} = {micro}; say"
            f" other --train-gpus, or change {_SIZE} first",
            pair.context.at(_SIZE),
        )


def _evaluation(pair: Pair, after: int) -> Iterator[Edit]:
    name, trainer = "per_device_eval_batch_size", pair.context.trainer.config
    old = pair.whole(name) or 1
    group = pair.whole("num_generations_eval") or pair.whole("num_generations") or trainer.num_generations
    if not evaluates(pair.preset, trainer) or old * after % group == 0:
        return
    new = next(size for size in range(old, old + group) if size * after % group == 0)
    reason = f"{old} x W {after} = {old * after} is not made of whole groups of {group}; {new} x W {after} is"
    yield _set(pair, name, new, reason, _PER_DEVICE)
