"""Rules about adapters inside vLLM, on the rollout server and in a learner's own engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import argument
from schema.resolve.tree import Branch
from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context
    from schema.values import Values

#: The ranks that vLLM makes an engine for (0.23.0, config/lora.py MaxLoRARanks; 0.11.0 refuses 1, too).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
_TOWER = "enable_tower_connector_lora"


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
    for field, part in (("freeze_vit", "the vision tower"), ("freeze_aligner", "the aligner")):
        if v.off(field):
            yield field, f"vLLM leaves the adapters of {part} out without a word"


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
        said = "; ".join(f"{field} is {context.preset.value(field)!r} ({why})" for field, why in reasons)
        yield Problem(
            context.at("vllm_enable_lora"),
            f"vllm_enable_lora is true, but the engine cannot load this adapter: {said}",
            f"{context.swift}: raises when the engine is made or first gets the adapter, or samples without a"
            " part of it",
            "set vllm_enable_lora to false: the engine gets merged weights",
        )


@rule("vllm-lora", mode="server", needs=("vllm_enable_lora",))
def vllm_lora(context: Context) -> Iterator[Problem]:
    """Adapters inside vLLM: forbidden on the rollout server, which gets merged weights.

    With vllm_enable_lora only adapters are synchronised (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:652),
    and vLLM rejects DoRA and modules_to_save ("vLLM does not yet support DoRA.", vLLM 0.23.0,
    lora/peft_helper.py); adapters on ViT and aligner need further engine arguments.
    """
    block = context.preset.block
    if context.server is None or not isinstance(block, Branch):
        return
    if context.server.config.vllm_enable_lora:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            "vllm_enable_lora is true, but the rollout server must get merged weights",
            f"{context.swift}: adapter-only sync; vLLM rejects DoRA, and a rank above vllm_max_lora_rank",
            "set vllm_enable_lora to false",
        )
    if (rank := block.find("vllm_max_lora_rank")) is not None:
        yield Problem(
            rank.place,
            "vllm_max_lora_rank is set, but the rollout server must not load adapters",
            f"{context.swift}: read only with vllm_enable_lora, which is forbidden here",
            "remove it",
        )
