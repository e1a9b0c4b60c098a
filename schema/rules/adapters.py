"""Rules about adapters in vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import argument
from schema import catalogue
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.releases import older
from schema.swift.adapters import unloadable
from schema.swift.engine import is_async
from schema.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context

#: What the engine takes where nothing else is said (ms-swift 4.5.2, arguments/deploy_args.py:107).
_RANK = 16
#: Ranks that vLLM makes an engine for, where the catalogued release lists none (0.23.0, config/lora.py).
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
_MERGED = "set vllm_enable_lora to false: the server then gets merged weights"


@rule("vllm-lora", mode="server", needs=("vllm_enable_lora", "lora_rank"))
def vllm_lora(context: Context) -> Iterator[Problem]:
    """An adapter that the rollout server cannot load, and gets all the same.

    With vllm_enable_lora only the adapter is synchronised (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:652).
    vLLM loads plain LoRA up to vllm_max_lora_rank; schema/swift/adapters.py names what it refuses. Before 4.5.0
    the async engine never asks for the adapter (4.4.1, infer_engine/grpo_vllm_engine.py has it in infer alone,
    4.5.2:99 in infer_async, too; ms-swift #9855). Nested presets send merged weights always: this project's word.
    """
    if context.server is None:
        return
    enabled, apart = context.server.config.vllm_enable_lora, context.preset.apart
    if enabled and not apart:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            "vllm_enable_lora is true, but a server of this layout must get merged weights",
            f"{context.swift}: adapter-only sync; vLLM rejects DoRA, and a rank above vllm_max_lora_rank",
            "set vllm_enable_lora to false",
        )
    if enabled and apart:
        yield from _loaded(context)
    elif context.preset.served("vllm_max_lora_rank") is not None:
        yield Problem(
            context.at_server("vllm_max_lora_rank"),
            "vllm_max_lora_rank is set, but the rollout server loads no adapters",
            f"{context.swift}: read only with vllm_enable_lora",
            "remove it",
            Severity.WARNING if apart else None,
        )


def _loaded(context: Context) -> Iterator[Problem]:
    preset, release = context.preset, context.release
    values = Values(preset, context.trainer.config, release)
    if not values.adapter:
        return  # weights of a full training are sent whole
    arguments = argument.mapping(preset.served("vllm_engine_kwargs")) or {}
    why = [*unloadable(values, preset.value("model"), arguments)]
    if older(context, "4.5.0") and is_async(preset, release.version):
        why.append("before ms-swift 4.5.0 the async engine never asks for the adapter")
    if why:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            f"vllm_enable_lora is true, but {'; '.join(why)}",
            f"{context.swift}: ValueError at the first sync, or completions without what was learnt",
            _MERGED,
        )
    else:
        yield from _rank(context)


def _rank(context: Context) -> Iterator[Problem]:
    said, trained = context.preset.served("vllm_max_lora_rank"), context.trainer.config.lora_rank
    most = _RANK if said is None else said
    known = catalogue.vllm_engine_args(context.release.vllm).get("max_lora_rank")
    ranks = [rank for rank in (known.choices if known else ()) or _RANKS if isinstance(rank, int)]
    if not isinstance(most, int) or (most in ranks and most >= trained):
        return
    fits = [rank for rank in ranks if rank >= trained]
    short = f"lora_rank is {trained}" if most < trained else f"vLLM takes {', '.join(map(str, ranks))} only"
    yield Problem(
        context.at_server("vllm_enable_lora" if said is None else "vllm_max_lora_rank"),
        f"vllm_max_lora_rank is {most}{' by default' if said is None else ''}, but {short}",
        f"{context.swift}: ValueError: LoRA rank is greater than max_lora_rank, at the first sync"
        if most < trained
        else f"{context.swift}: vLLM stops once the server loads it",
        f"set vllm_max_lora_rank to {min(fits)}" if fits else _MERGED,
    )
