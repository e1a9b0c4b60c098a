"""The engine that `swift rollout` builds: facts that rules and launchers ask of any release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.catalogue import order
from schema.swift import argument

if TYPE_CHECKING:
    from schema.layouts.preset import Preset


def is_async(preset: Preset, swift: str) -> bool:
    """Whether the rollout server of an ms-swift release runs vLLM's async engine.

    Alike in every release from 3.10.0 to 4.6.0 (4.5.2, arguments/deploy_args.py:121 _set_default_engine_type):
    unset, a scheduler asks for it and nothing else does, a gym neither. From 4.3.0 on expert parallelism turns
    it on whatever is said (:163 _check_vllm_enable_expert_parallel).
    """
    experts = argument.truth(preset.served("vllm_enable_expert_parallel")) is True
    if experts and order(swift) >= order("4.3.0"):
        return True
    value = preset.served("vllm_use_async_engine")
    return bool(preset.served("multi_turn_scheduler")) if value is None else argument.truth(value) is True


def is_offline(preset: Preset, swift: str, vllm: str) -> bool:
    """Whether a pair of releases runs several engines as vLLM's offline data parallelism.

    vLLM from 0.14.0 on refuses that for dense models ("Offline data parallel mode is not supported/useful for
    dense models.", vLLM #30739, ms-swift #9221); ms-swift from 4.2.1 on gives each engine its own GPUs instead
    (#9295, pipelines/infer/rollout.py:596), and the async engine is not offline.
    """
    refused = order(vllm) >= order("0.14.0") and order(swift) < order("4.2.1")
    return refused and not is_async(preset, swift)
