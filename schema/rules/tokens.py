"""Rules about lengths, all in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.argument import is_whole
from schema.swift.lengths import REFUSED_STRATEGIES
from schema.swift.lengths import limit
from schema.swift.lengths import prompt_length
from schema.swift.lengths import total_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.place import Place


def engine_length(context: Context) -> tuple[int, Place] | None:
    """vllm_max_model_len of the engine that rolls out, and where it is set; None if it is not set."""
    name = "vllm_max_model_len"
    length = context.preset.engine(name) if context.preset.mode in ("server", "colocate") else None
    return (length, context.at_engine(name)) if isinstance(length, int) else None


@rule("max-model-len", needs=("vllm_max_model_len", "max_completion_length"))
def max_model_len(context: Context) -> Iterator[Problem]:
    """The preset allows longer sequences than the engine takes.

    In both modes a completion is clipped to the tokens that its prompt leaves of vllm_max_model_len, with a
    warning in the log. A prompt that fills it is an error: `leaves no room for generation`, a server's HTTP 500
    (ms-swift 4.5.2, infer_engine/infer_engine.py:210-231; seen with vLLM 0.23.0; before 4.5.0 vLLM itself refuses
    it). global_max_length bounds what a training repository trains on, not only what it rolls out, so a learner's
    own engine may be below it. It gets a warning only if it leaves no room for a prompt beside a completion.
    """
    engine, total, prompt = engine_length(context), total_length(context), prompt_length(context)
    completion = context.trainer.config.max_completion_length
    if engine is None or engine[0] >= (completion + 1 if total is None else total):
        return
    length, place = engine
    if total is None or prompt is None:
        yield Problem(
            place,
            f"vllm_max_model_len is {length}, but a completion alone may have {completion} tokens",
            f"{context.swift}: completions are clipped",
            "raise it by the tokens of a prompt, or lower max_completion_length",
            Severity.WARNING,
        )
        return
    fills, server = prompt >= length, context.preset.mode == "server"
    if not server and limit(context) is not None and length > completion:
        return
    alone = f", and a prompt alone {prompt}" if fills else ""
    yield Problem(
        place,
        f"vllm_max_model_len is {length}, but prompt and completion may have {total} tokens{alone}",
        f"{context.swift}: {_outcome(context) if fills else 'the completions of long prompts are clipped'}",
        f"set vllm_max_model_len to {total}",
        Severity.ERROR if fills and (server or limit(context) is None) else Severity.WARNING,
    )


def _outcome(context: Context) -> str:
    raised = "vLLM refuses it" if context.older("4.5.0") else "ValueError: leaves no room for generation"
    answer = ", answered with HTTP 500" if context.preset.mode == "server" else ""
    return f"completions are clipped, and a prompt that fills the engine fails: {raised}{answer}"


@rule("global-max-length", components=True)
def global_max_length(context: Context) -> Iterator[Problem]:
    """`global_max_length` is not a positive number of tokens, or leaves no room for a prompt.

    It bounds prompt and completion together, so the learner's prompts get what max_completion_length
    leaves.
    """
    setting = context.preset.limit
    if setting is None:
        return
    value = data(setting)
    if not is_whole(value):
        yield Problem(
            setting.place,
            f"global_max_length is {value!r}; it must be a positive whole number of tokens",
            fix="set it to the tokens of prompt, images and completion together, such as 8192",
        )
    elif "max_completion_length" not in context.wrong:
        completion = context.trainer.config.max_completion_length
        if "max_completion_length" in context.preset.arguments and completion >= value:
            yield Problem(
                context.at("max_completion_length"),
                f"max_completion_length is {completion}, but global_max_length is {value}: no room for a prompt",
                f"{context.swift}: every prompt is too long",
                "lower max_completion_length, or raise global_max_length",
            )


@rule("truncation-strategy")
def truncation_strategy(context: Context) -> Iterator[Problem]:
    """GRPO accepts only left and delete: ms-swift 4.5.2, arguments/rlhf_args.py:352.

    If several sections set it, the last one counts: rlhf after template.
    """
    setting = context.preset.arguments.get("truncation_strategy")
    if setting is not None and setting.value in REFUSED_STRATEGIES:
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, and no later section overrides it",
            f"{context.swift}: ValueError: GRPO requires `truncation_strategy 'left' or 'delete'`",
            f"set {context.preset.path('truncation_strategy')} to delete",
        )
