"""Rules about adapters inside vLLM, on the rollout server and in a learner's own engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.adapters import DEFAULT_RANK
from schema.swift.adapters import RANKS
from schema.swift.adapters import unloadable
from schema.swift.engine import is_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context

_MERGED = "set vllm_enable_lora to false: the server then gets merged weights"


@rule("colocate-lora", mode="colocate", needs=("vllm_enable_lora", "lora_rank"))
def colocate_lora(context: Context) -> Iterator[Problem]:
    """vllm_enable_lora is on in a learner's own engine, but vLLM cannot load the adapter.

    The engine takes adapters of rank lora_rank if tuner_type is lora (ms-swift 3.10.0,
    trainers/rlhf_trainer/rollout_mixin.py:189, to 4.6.0, rlhf_trainers/rollout_mixin.py:475); with any other
    tuner vllm_enable_lora is not read. vLLM supports only the ranks 1, 8, 16, 32, 64, 128, 256, 320 and 512
    (0.23.0, config/lora.py MaxLoRARanks; 0.11.0, config/lora.py:104).
    """
    v = context.values
    if not v.on("vllm_enable_lora") or v.tuner != "lora":
        return
    reasons = [*unloadable(v, context.preset.value("vllm_engine_kwargs"))]
    if context.trainer.config.lora_rank not in RANKS:
        reasons.append(("lora_rank", f"vLLM supports only {', '.join(map(str, RANKS))}"))
    if reasons:
        yield Problem(
            context.at("vllm_enable_lora"),
            f"vllm_enable_lora is true, but the engine cannot load this adapter: {_listed(context, reasons)}",
            f"{context.swift}: raises when the engine starts or first gets the adapter, or samples without a"
            " part of the adapter",
            "set vllm_enable_lora to false: the engine gets merged weights",
        )


def _listed(context: Context, reasons: list[tuple[str, str]]) -> str:
    return "; ".join(f"{field} is {context.preset.value(field)!r} ({why})" for field, why in reasons)


@rule("vllm-lora", mode="server", needs=("vllm_enable_lora", "lora_rank"))
def vllm_lora(context: Context) -> Iterator[Problem]:
    """The rollout server gets an adapter that it cannot load.

    With vllm_enable_lora only the adapter is synchronised (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:652).
    vLLM loads plain LoRA up to vllm_max_lora_rank; colocate-lora checks the same for a learner's own engine.
    Before 4.5.0 the async engine never uses the adapter (4.4.1, infer_engine/grpo_vllm_engine.py uses it in infer
    only, 4.5.0:105 in infer_async, too; ms-swift #9855). This project requires that nested presets send merged
    weights.
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
    v, preset = context.values, context.preset
    if not v.adapter:
        return  # weights of a full training are sent whole
    reasons = [*unloadable(v, preset.served("vllm_engine_kwargs"))]
    if v.tuner != "lora":
        reasons.append(("tuner_type", "vLLM loads only LoRA"))
    if reasons:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            f"vllm_enable_lora is true, but the server cannot load this adapter: {_listed(context, reasons)}",
            f"{context.swift}: ValueError at the first sync, or completions that lack a part of the adapter",
            _MERGED,
        )
    elif context.older("4.5.0") and is_async(preset, context.release.version):
        yield Problem(
            context.at_server("vllm_enable_lora"),
            "vllm_enable_lora is true, but the async engine of this release never uses the adapter",
            f"{context.swift}: completions silently come from the initial model",
            f"{_MERGED}, or use ms-swift 4.5.0 or newer",
        )
    else:
        yield from _rank(context)


def _rank(context: Context) -> Iterator[Problem]:
    given, trained = context.preset.served("vllm_max_lora_rank"), context.trainer.config.lora_rank
    most = DEFAULT_RANK if given is None else given
    if not isinstance(most, int) or (most in RANKS and most >= trained):
        return
    fits = [rank for rank in RANKS[1:] if rank >= trained]
    short = most < trained
    limit = f"lora_rank is {trained}" if short else f"vLLM supports only {', '.join(map(str, RANKS))}"
    raised = "ValueError: LoRA rank is greater than max_lora_rank, at the first sync"
    yield Problem(
        context.at_server("vllm_enable_lora" if given is None else "vllm_max_lora_rank"),
        f"vllm_max_lora_rank is {most}{' by default' if given is None else ''}, but {limit}",
        f"{context.swift}: {raised if short else 'vLLM stops while the server loads'}",
        f"set vllm_max_lora_rank to {fits[0]}" if fits else _MERGED,
    )
