"""Rules about DeepSpeed's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.layouts.preset import Setting

_CONFIGS = ("zero0", "zero1", "zero2", "zero3", "zero2_offload", "zero3_offload")
_FIX = f"set it to one of {', '.join(_CONFIGS)}, or to the path of a JSON file"


@rule("deepspeed-config")
def deepspeed_config(context: Context) -> Iterator[Problem]:
    """The DeepSpeed configuration is neither a name that ms-swift knows, nor a mapping, nor a JSON file.

    ms-swift 4.5.2, arguments/sft_args.py:259-269, and arguments/rlhf_args.py:726 for the teacher's; the path of
    a JSON file is relative to the folder where the learner starts. accelerate refuses a mapping without
    zero_optimization ("Please specify the ZeRO optimization config", 1.15.0); an empty one counts as no DeepSpeed.
    """
    yield from _switch(context)
    setting = context.preset.deepspeed
    if setting is not None and (wrong := _wrong(setting)) is not None:
        shown = "missing" if setting.value is None else repr(setting.value)
        yield Problem(
            setting.place,
            f"{setting.path} is {shown}",
            f"{context.swift}: {wrong}{context.late}",
            _FIX,
        )
    teacher = context.preset.arguments.get("teacher_deepspeed")
    if teacher is not None and isinstance(teacher.value, str) and teacher.value and _unreadable(teacher):
        yield Problem(
            teacher.place,
            f"{teacher.path} is {teacher.value!r}",
            f"{context.swift}: JSONDecodeError{context.late}",
            _FIX,
        )


def _switch(context: Context) -> Iterator[Problem]:
    # Only the nested layout has a switch; elsewhere the configuration itself stands there.
    switch = context.preset.tree.leaf("deepspeed", "enabled") if context.preset.top_level else None
    if switch is not None and not isinstance(switch.value, bool):
        yield Problem(
            switch.place,
            f"deepspeed.enabled is {switch.value!r}, neither true nor false",
            "the learner starts without DeepSpeed",
            "set it to true or false, without quotes",
        )


def _wrong(setting: Setting) -> str | None:
    if setting.value in _CONFIGS:
        return None
    if setting.value in ("", {}):
        return "starts the learner without DeepSpeed"
    if _unreadable(setting):
        return "JSONDecodeError"
    mapping = argument.mapping(setting.value)
    if mapping is not None and "zero_optimization" not in mapping:
        return "ValueError: Please specify the ZeRO optimization config in the DeepSpeed config"
    return None


def _unreadable(setting: Setting) -> bool:
    if isinstance(setting.value, str) and setting.value in _CONFIGS:
        return False
    return argument.mapping(setting.value) is None and not str(setting.value).endswith(".json")


@rule("adapter-with-zero3", severity=Severity.WARNING, mode="server")
def adapter_with_zero3(context: Context) -> Iterator[Problem]:
    """LoRA or DoRA with ZeRO-3: the weight sync may find parameters that are still partitioned.

    `AssertionError` on the state dict before ms-swift 4.5 (3.9.0 to 4.2.3, rlhf_trainers/rollout_mixin.py:963
    in 4.2.3); with 4.5.2 one learner ran to its end.
    """
    deepspeed = context.preset.deepspeed
    if deepspeed is None or not partitions(deepspeed.value):
        return
    tuner = context.values.tuner
    if tuner == "lora" and context.older("4.5.0"):
        yield Problem(
            deepspeed.place,
            f"{deepspeed.path} is {deepspeed.value}, with an adapter",
            f"{context.swift}: AssertionError at the first weight sync, as was seen",
            "use zero2",
        )


def partitions(config: object) -> bool:
    """Whether a DeepSpeed configuration is one of ZeRO-3."""
    if isinstance(config, str) and config in _CONFIGS:
        return config.startswith("zero3")
    zero = (argument.mapping(config) or {}).get("zero_optimization")
    return isinstance(zero, dict) and zero.get("stage") == 3
