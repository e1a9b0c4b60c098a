"""Rules about lengths, all in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context


def total_length(context: Context) -> int | None:
    """Tokens of prompt and completion that the preset allows, or None if it does not say.

    `global_max_length` says so directly; else the prompt's and max_completion_length do together.
    """
    if (total := _limit(context)) is not None:
        return total
    prompt = prompt_length(context)
    return None if prompt is None else prompt + context.trainer.config.max_completion_length


def prompt_length(context: Context) -> int | None:
    """Tokens that a prompt may have when it reaches the engine, or None if the preset does not say.

    In GRPO max_length bounds the prompt alone (ms-swift 4.5.2, arguments/base_args/template_args.py:30), on each
    side by its own value: the learner draws another one for what is too long before it asks the server, if
    truncation_strategy is delete (rlhf_trainers/grpo_trainer.py:217), and cuts only its own copy if it is left,
    as it is unless something is said (arguments/rlhf_args.py:350).
    """
    if (total := _limit(context)) is not None:
        return total - context.trainer.config.max_completion_length
    preset = context.preset
    said = [preset.value("max_length")]
    if preset.mode == "server":
        drops = preset.value("truncation_strategy") == "delete"
        served = preset.served("max_length")
        said = [served, *said] if drops or served is None else [served]
    return min((length for length in said if isinstance(length, int)), default=None)


def _limit(context: Context) -> int | None:
    limit = context.preset.limit
    total = None if limit is None else data(limit)
    return total if isinstance(total, int) and not isinstance(total, bool) else None


@rule("max-model-len", mode="server", needs=("vllm_max_model_len", "max_completion_length"))
def max_model_len(context: Context) -> Iterator[Problem]:
    """The server takes shorter sequences than the preset makes.

    A prompt that fills vllm_max_model_len is answered with HTTP 500 (`leaves no room for generation`, seen
    on ms-swift 4.5.2 with vLLM 0.23.0; infer_engine/infer_engine.py), one that nearly does gets a clipped
    completion.
    """
    if context.server is None:
        return
    total, length = total_length(context), context.server.config.vllm_max_model_len
    if total is not None and length < total:
        yield Problem(
            context.at_server("vllm_max_model_len"),
            f"vllm_max_model_len is {length}, but prompt and completion may have {total} tokens",
            f"{context.swift}: completions are clipped, and long prompts answered with HTTP 500",
            f"set vllm_max_model_len to {total}",
        )


@rule("global-max-length", components=True)
def global_max_length(context: Context) -> Iterator[Problem]:
    """`global_max_length` is a positive number of tokens that leaves room for a prompt.

    It bounds prompt and completion together, so the learner's prompts get what max_completion_length
    leaves.
    """
    limit = context.preset.limit
    if limit is None:
        return
    value = data(limit)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        yield Problem(
            limit.place,
            f"global_max_length is {value!r}; it must be a positive whole number of tokens",
            fix="set it to the tokens of prompt, images and completion together, such as 8192",
        )
    elif not context.wrong("max_completion_length"):
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
    """GRPO takes left and delete only: ms-swift 4.5.2, arguments/rlhf_args.py:352.

    Of several sections that set it, the last one counts: rlhf after template.
    """
    setting = context.preset.arguments.get("truncation_strategy")
    if setting is not None and setting.value in ("right", "split"):
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, and no later section overrides it",
            f"{context.swift}: ValueError: GRPO requires `truncation_strategy 'left' or 'delete'`",
            f"set {context.preset.path('truncation_strategy')} to delete",
        )
