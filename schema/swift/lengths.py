"""How many tokens a preset allows, where rules, launchers and migrations ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.resolve.tree import data

if TYPE_CHECKING:
    from schema.context import Context

#: What a learner of GRPO must not do with a prompt that is too long.
REFUSED_STRATEGIES = ("right", "split")


def total_length(context: Context) -> int | None:
    """Tokens of prompt and completion that the preset allows, or None if it does not say.

    `global_max_length` says so directly; else the prompt's and max_completion_length do together.
    """
    if (total := limit(context)) is not None:
        return total
    prompt = prompt_length(context)
    return None if prompt is None else prompt + context.trainer.config.max_completion_length


def prompt_length(context: Context) -> int | None:
    """Tokens that a prompt may have when it reaches the engine, or None if the preset does not say.

    In GRPO max_length bounds the prompt alone (ms-swift 4.5.2, arguments/base_args/template_args.py:30), on each
    side by its own value, so the smaller one counts; sides-differ speaks of a server that has none.
    """
    if (total := limit(context)) is not None:
        return total - context.trainer.config.max_completion_length
    lengths = (context.preset.value("max_length"), context.preset.served("max_length"))
    return min((length for length in lengths if isinstance(length, int)), default=None)


def limit(context: Context) -> int | None:
    """Tokens that global_max_length allows, or None if the preset has none."""
    value = context.preset.limit
    total = None if value is None else data(value)
    return total if isinstance(total, int) and not isinstance(total, bool) else None
