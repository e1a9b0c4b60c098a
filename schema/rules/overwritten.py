"""The rule about arguments that ms-swift, or transformers, overwrites."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema import fixes
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.roles import Misplaced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.swift.values import Values


class _Overwritten(NamedTuple):
    field: str
    why: str
    fix: str
    severity: Severity | None = None
    ignored: str = "it"
    twin: str = ""


@rule("overwritten-argument", severity=Severity.WARNING)
def overwritten_argument(context: Context) -> Iterator[Problem]:
    """ms-swift or transformers overwrites a value without an error.

    The old names of max_completion_length override it (ms-swift 4.5.2, arguments/rlhf_args.py:471), which is an
    error here; GRPO drops incomplete batches and keeps all columns (rlhf_trainers/arguments.py:121,
    arguments/rlhf_args.py:348); without a validation set nothing is evaluated (arguments/sft_args.py:231);
    loss_type real scales no rewards (arguments/rlhf_args.py:379). warmup_steps and warmup_ratio overwrite each
    other: with transformers 4 the steps win, with 5 the ratio (5.12.1, training_args.py:1485), in ms-swift 4.5
    even where it is unset.
    """
    values = context.values
    for field, why, fix, severity, ignored, twin in (*_lengths(values), *_forced(values), *_warmup(values)):
        setting = context.preset.arguments[field]
        edits = fixes.remove(context, setting.key, setting.steps, why) if fix == "remove it" else ()
        if twin and twin not in context.preset.arguments:
            edits = fixes.rename(context, setting.key, setting.steps, twin, context.release.trainer)
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, but {why}",
            f"{context.swift}: {ignored} {Misplaced.IGNORED.value}",
            fix,
            severity,
            edits,
        )


def _lengths(v: Values) -> Iterator[_Overwritten]:
    for name in ("response_length", "max_new_tokens"):
        if v.number(name) and v.number(name) != v.number("max_completion_length"):
            why = "it overwrites max_completion_length, from which all other lengths are computed"
            fix = "set max_completion_length instead"
            twin = "max_completion_length" if name == "response_length" else ""
            yield _Overwritten(name, why, fix, Severity.ERROR, "max_completion_length", twin)


def _forced(v: Values) -> Iterator[_Overwritten]:
    if v.has("dataloader_drop_last") and v.off("dataloader_drop_last"):
        yield _Overwritten("dataloader_drop_last", "GRPO always drops an incomplete batch", "remove it")
    if v.has("remove_unused_columns") and v.on("remove_unused_columns"):
        yield _Overwritten("remove_unused_columns", "GRPO keeps all columns for its rewards", "remove it")
    if v.since("4.1.0") and v.word("loss_type") == "real" and v.word("scale_rewards", "none") != "none":
        yield _Overwritten("scale_rewards", "loss_type real scales no rewards", "remove it")
    if v.eval_strategy == "no" and v.word("eval_strategy") in ("steps", "epoch"):
        fix = f"set {v.path('val_dataset')}, or set eval_strategy to no"
        yield _Overwritten("eval_strategy", "there is no validation set", fix)


def _warmup(v: Values) -> Iterator[_Overwritten]:
    ratio, steps = v.number("warmup_ratio"), v.number("warmup_steps")
    if steps and not v.counts_warmup_steps and not (v.since("4.5.0") and ratio):
        why = "with transformers 5 warmup_ratio overwrites it" + (", even if unset" if v.since("4.5.0") else "")
        yield _Overwritten("warmup_steps", why, "remove it" if ratio else "set warmup_ratio instead")
    elif steps > 0 and ratio and not v.since("4.0.0"):
        yield _Overwritten("warmup_ratio", "warmup_steps overwrites it", "remove one of the two")
    if ratio >= 1 and v.since("4.0.0") and not v.since("4.5.0"):
        why = "transformers 5 reads it as a number of steps"
        yield _Overwritten("warmup_ratio", why, "set it to a share of all steps, below 1")
