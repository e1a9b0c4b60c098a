"""Rules about adapters inside vLLM, on the rollout server and in a learner's own engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import argument
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.releases import older
from schema.swift.engine import is_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context
    from schema.values import Values

#: The ranks that vLLM makes an engine for (0.23.0, config/lora.py MaxLoRARanks; 0.11.0 refuses 1, too).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_TOWER = "enable_tower_connector_lora"
#: What the engine takes where nothing else is said (ms-swift 4.5.2, arguments/deploy_args.py:107).
DEFAULT_RANK = 16
_MERGED = "set vllm_enable_lora to false: the server then gets merged weights"


def unloadable(v: Values, engine_kwargs: object) -> Iterator[tuple[str, str]]:
    """The settings of the learner's adapter that no vLLM engine can load as an adapter, each with the reason.

    The first three raise at the first rollout in every release (vLLM 0.11.0 and 0.23.0, lora/peft_helper.py
    _validate_features, validate_legal, which ms-swift's own loader asks: 4.5.2, rlhf_trainers/utils.py
    patch_vllm_load_adapter). Layers of the vision tower and the aligner are left out without a word (0.23.0,
    lora/model_manager.py:194) unless vllm_engine_kwargs asks for them, which vLLM knows from 0.15.1 on.

    Args:
        v: the learner's arguments.
        engine_kwargs: vllm_engine_kwargs of the engine that would load the adapter.
    """
    if v.on("use_dora"):
        yield "use_dora", "vLLM does not yet support DoRA"
    if v.has("modules_to_save"):
        yield "modules_to_save", "vLLM only supports modules_to_save being None"
    if v.word("lora_bias", "none") != "none":
        yield "lora_bias", "Adapter bias is not supported"
    if v.sees is False or (argument.mapping(engine_kwargs) or {}).get(_TOWER):
        return
    if v.has("target_regex") or "all-linear" not in (v.words("target_modules") or ["all-linear"]):
        return  # modules by name, whatever is frozen (4.5.2, pipelines/train/tuner.py:92 get_target_modules)
    for field, part in (("freeze_vit", "the vision tower"), ("freeze_aligner", "the aligner")):
        if v.off(field):
            yield field, f"vLLM leaves the adapters of {part} out without a word"


def can_load(context: Context) -> bool:
    """Whether a rollout server could load the learner's adapter, in whatever mode the preset is now."""
    v, preset = context.values, context.preset
    plain = v.tuner == "lora" and not any(unloadable(v, preset.engine("vllm_engine_kwargs")))
    runs_async = is_async(preset, context.release.version) or v.has("multi_turn_scheduler")
    asked = any(v.on(name) for name in ("vllm_use_async_engine", "vllm_enable_expert_parallel"))
    fits = context.trainer.config.lora_rank <= RANKS[-1]
    return plain and fits and not (older(context, "4.5.0") and (runs_async or asked))


def rank_for(trained: int, said: object) -> int:
    """vllm_max_lora_rank for an adapter of a rank: what is said if it is enough, else the next."""
    if isinstance(said, int) and said in RANKS and said >= trained:
        return said
    return next(rank for rank in (DEFAULT_RANK, *RANKS[1:]) if rank >= trained)


@rule("colocate-lora", mode="colocate", needs=("vllm_enable_lora", "lora_rank"))
def colocate_lora(context: Context) -> Iterator[Problem]:
    """vllm_enable_lora of a learner's own engine, with an adapter that vLLM cannot load.

    The engine is made with adapters, of rank lora_rank, where tuner_type is lora (ms-swift 3.10.0,
    trainers/rlhf_trainer/rollout_mixin.py:189, to 4.6.0, rlhf_trainers/rollout_mixin.py:475); with any other
    tuner vllm_enable_lora is not read. vLLM makes none of another rank than 1, 8, 16, 32, 64, 128, 256, 320
    and 512 (0.23.0, config/lora.py MaxLoRARanks; 0.11.0, config/lora.py:104).
    """
    v = context.values
    if not v.on("vllm_enable_lora") or v.tuner != "lora":
        return
    reasons = [*unloadable(v, context.preset.value("vllm_engine_kwargs"))]
    if context.trainer.config.lora_rank not in RANKS:
        reasons.append(("lora_rank", f"vLLM takes {', '.join(map(str, RANKS))} only"))
    if reasons:
        yield Problem(
            context.at("vllm_enable_lora"),
            f"vllm_enable_lora is true, but the engine cannot load this adapter: {_said(context, reasons)}",
            f"{context.swift}: raises when the engine is made or first gets the adapter, or samples without a"
            " part of it",
            "set vllm_enable_lora to false: the engine gets merged weights",
        )


def _said(context: Context, reasons: list[tuple[str, str]]) -> str:
    return "; ".join(f"{field} is {context.preset.value(field)!r} ({why})" for field, why in reasons)


@rule("vllm-lora", mode="server", needs=("vllm_enable_lora", "lora_rank"))
def vllm_lora(context: Context) -> Iterator[Problem]:
    """An adapter that the rollout server cannot load, and gets all the same.

    With vllm_enable_lora only the adapter is synchronised (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:652).
    vLLM loads plain LoRA up to vllm_max_lora_rank; colocate-lora has the same of a learner's own engine. Before
    4.5.0 the async engine never asks for the adapter (4.4.1, infer_engine/grpo_vllm_engine.py has it in infer
    alone, 4.5.0:105 in infer_async, too; ms-swift #9855). Nested presets send merged weights: this project's word.
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
        reasons.append(("tuner_type", "vLLM loads LoRA alone"))
    if reasons:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            f"vllm_enable_lora is true, but the server cannot load this adapter: {_said(context, reasons)}",
            f"{context.swift}: ValueError at the first sync, or completions without a part of what was learnt",
            _MERGED,
        )
    elif older(context, "4.5.0") and is_async(preset, context.release.version):
        yield Problem(
            context.at_server("vllm_enable_lora"),
            "vllm_enable_lora is true, but the async engine of this release never asks for the adapter",
            f"{context.swift}: completions come from the model of the start, without a word",
            f"{_MERGED}, or use ms-swift 4.5.0 or newer",
        )
    else:
        yield from _rank(context)


def _rank(context: Context) -> Iterator[Problem]:
    said, trained = context.preset.served("vllm_max_lora_rank"), context.trainer.config.lora_rank
    most = DEFAULT_RANK if said is None else said
    if not isinstance(most, int) or (most in RANKS and most >= trained):
        return
    fits = [rank for rank in RANKS[1:] if rank >= trained]
    short = most < trained
    limit = f"lora_rank is {trained}" if short else f"vLLM takes {', '.join(map(str, RANKS))} only"
    raised = "ValueError: LoRA rank is greater than max_lora_rank, at the first sync"
    yield Problem(
        context.at_server("vllm_enable_lora" if said is None else "vllm_max_lora_rank"),
        f"vllm_max_lora_rank is {most}{' by default' if said is None else ''}, but {limit}",
        f"{context.swift}: {raised if short else 'vLLM stops once the server loads it'}",
        f"set vllm_max_lora_rank to {fits[0]}" if fits else _MERGED,
    )
