"""Which adapters a vLLM engine can load, where rules and migrations ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.swift import argument
from schema.swift.engine import is_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.swift.values import Values

#: The ranks that vLLM makes an engine for (0.23.0, config/lora.py MaxLoRARanks; 0.11.0 refuses 1, too).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_TOWER = "enable_tower_connector_lora"
#: What the engine takes where nothing else is said (ms-swift 4.5.2, arguments/deploy_args.py:107).
DEFAULT_RANK = 16


def unloadable(v: Values, engine_kwargs: object) -> Iterator[tuple[str, str]]:
    """The settings of the learner's adapter that no vLLM engine can load as an adapter, each with the reason.

    The first three raise at the first rollout in every release (vLLM 0.11.0 and 0.23.0, lora/peft_helper.py
    _validate_features, validate_legal, which ms-swift's own loader asks: 4.5.2, rlhf_trainers/utils.py
    patch_vllm_load_adapter). Layers of the vision tower and the aligner are silently left out (0.23.0,
    lora/model_manager.py:194) unless vllm_engine_kwargs asks for them, which vLLM knows from 0.15.1 on.
    """
    if v.on("use_dora"):
        yield "use_dora", "vLLM does not yet support DoRA"
    if v.has("modules_to_save"):
        yield "modules_to_save", "vLLM only supports modules_to_save being None"
    if v.word("lora_bias") != "none":
        yield "lora_bias", "Adapter bias is not supported"
    if v.sees is False or (argument.mapping(engine_kwargs) or {}).get(_TOWER):
        return
    if v.has("target_regex") or "all-linear" not in v.words("target_modules"):
        return  # modules by name, whatever is frozen (4.5.2, pipelines/train/tuner.py:92 get_target_modules)
    for field, part in (("freeze_vit", "the vision tower"), ("freeze_aligner", "the aligner")):
        if v.off(field):
            yield field, f"vLLM silently leaves out the adapters of {part}"


def can_load(context: Context) -> bool:
    """Whether a rollout server could load the learner's adapter, in whatever mode the preset is now."""
    v, preset = context.values, context.preset
    plain = v.tuner == "lora" and not any(unloadable(v, preset.engine("vllm_engine_kwargs")))
    runs_async = is_async(preset, context.release.version) or v.has("multi_turn_scheduler")
    requested = any(v.on(name) for name in ("vllm_use_async_engine", "vllm_enable_expert_parallel"))
    fits = context.trainer.config.lora_rank <= RANKS[-1]
    return plain and fits and not (context.older("4.5.0") and (runs_async or requested))


def rank_for(trained: int, given: object) -> int:
    """vllm_max_lora_rank for an adapter of a rank: what is said if it is enough, else the next."""
    if isinstance(given, int) and given in RANKS and given >= trained:
        return given
    return next(rank for rank in (DEFAULT_RANK, *RANKS[1:]) if rank >= trained)
