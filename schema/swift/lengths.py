"""How many tokens a preset allows, where rules, launchers and migrations ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.checkpoint import positions
from schema.resolve.tree import data

if TYPE_CHECKING:
    from schema.context import Context

#: What a learner of GRPO must not do with a prompt that is too long.
REFUSED_STRATEGIES = ("right", "split")
#: Where a config.json says how the positions of a model are stretched.
ROPE = ("rope_scaling", "rope_parameters")
#: What vLLM takes positions from, besides, where hf_overrides says it.
_POSITIONS = (*ROPE, "max_position_embeddings", "text_config")


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


def longest(context: Context) -> int | None:
    """Tokens that the engine takes its model for at the most, or None if nothing here says, or something lifts it.

    rope_scaling and hf_overrides of the engine extend the positions themselves, and vLLM does not look at them if
    VLLM_ALLOW_LONG_MAX_MODEL_LEN is 1 (0.23.0, config/model.py _get_and_verify_max_len). max_model_len alone does
    so at most before ms-swift 4.5.0: old releases gave vLLM their own config (3.10.0,
    infer_engine/vllm_engine.py:148), new ones only rope_scaling of it (4.5.2, infer_engine/vllm_engine.py:261).
    """
    preset = context.preset
    side = "server" if preset.mode == "server" else "learner"
    lifted = preset.variables(side).get("VLLM_ALLOW_LONG_MAX_MODEL_LEN") == "1"
    names = ("rope_scaling", "max_model_len") if context.older("4.5.0") else ("rope_scaling",)
    stretched = any(preset.engine(name) is not None for name in names)
    if lifted or stretched or overrides(context, _POSITIONS):
        return None
    return positions(context.served_checkpoint)


def overrides(context: Context, names: tuple[str, ...]) -> bool:
    """Whether hf_overrides of the engine has one of these keys of a config.json."""
    given = context.preset.engine_kwargs.get("hf_overrides")
    return isinstance(given, dict) and not given.keys().isdisjoint(names)


def limit(context: Context) -> int | None:
    """Tokens that global_max_length allows, or None if the preset has none."""
    value = context.preset.limit
    total = None if value is None else data(value)
    return total if isinstance(total, int) and not isinstance(total, bool) else None
