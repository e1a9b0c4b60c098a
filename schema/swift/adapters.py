"""Which trained adapters vLLM can load, on a rollout server and in the learner's own engine alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.checkpoint import sees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.values import Values


def unloadable(values: Values, model: object, engine_kwargs: Mapping[str, object]) -> Iterator[str]:
    """What vLLM refuses, or leaves out, of the adapter that a learner trains; nothing for plain LoRA.

    "vLLM does not yet support DoRA.", "vLLM only supports modules_to_save being None." and "Adapter bias is not
    supported." (vLLM 0.23.0, lora/peft_helper.py validate_legal); without enable_tower_connector_lora it wraps no
    module of ViT or aligner (lora/model_manager.py:194). Those get adapters where they are not frozen and
    target_modules says all-linear (ms-swift 4.5.2, pipelines/train/tuner.py:92 get_target_modules).
    """
    tuner = values.word("tuner_type") or values.word("train_type") or "lora"
    if tuner != "lora":
        yield f"the tuner is {tuner}, and vLLM loads LoRA alone"
        return
    if values.on("use_dora"):
        yield "use_dora is true, and vLLM loads no DoRA"
    if values.has("modules_to_save"):
        yield "modules_to_save is set, and vLLM loads no whole modules"
    if (bias := values.word("lora_bias", "none")) != "none":
        yield f"lora_bias is {bias}, and vLLM loads no bias"
    if sees(model) is not False and not engine_kwargs.get("enable_tower_connector_lora"):
        yield from (f"{name} is false, and vLLM leaves such adapters out" for name in _tower(values))


def _tower(values: Values) -> list[str]:
    everywhere = "all-linear" in (values.words("target_modules") or ["all-linear"])
    if values.has("target_regex") or not everywhere:
        return []
    return [name for name in ("freeze_vit", "freeze_aligner") if values.off(name)]
