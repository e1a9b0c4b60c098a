"""The rule about vLLM's cache of processed pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.catalogue import order
from schema.checkpoint import sees
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.layouts.preset import Preset

_CACHE, _LIMIT = "mm_processor_cache_gb", "limit_mm_per_prompt"


@rule("multimodal-cache", severity=Severity.WARNING, needs=(f"vllm_{_CACHE}", f"vllm_{_LIMIT}", "sleep_level"))
def multimodal_cache(context: Context) -> Iterator[Problem]:
    """The two halves of vLLM's cache of processed pictures get out of step in this release of vLLM.

    One half receives prompts and sends each picture once, the other is in the engine. If the engine has no copy of
    a picture and is sent none, "AssertionError: Expected a cached item for mm_hash=" ends the rollout (ms-swift
    #5858, #7307, #9863). Before 0.12.0 a full cache may evict a picture of the prompt that it is processing, if
    the prompt has several (0.11.0, multimodal/processing.py:1685 _merge_mm_kwargs; 0.13.0 touches them all first,
    :1779). From 0.17.0 on an engine that sleeps empties its own half (0.17.1, v1/engine/core.py:599
    _reset_caches), and only from 0.22.0 on the other one, too (v1/engine/llm_engine.py:353): a learner's own
    engine with sleep_level fails when a picture comes again. This is checked only if the checkpoint's own
    config.json says that the model takes pictures.
    """
    preset = context.preset
    if preset.mode not in ("server", "colocate") or not sees(context.served_checkpoint):
        return
    size, why = _given(preset, _CACHE), _fault(context)
    if why is not None and (size is None or argument.number(size) != 0):
        yield Problem(
            context.at_engine(f"vllm_{_CACHE}"),
            f"vllm_{_CACHE} is {'not set' if size is None else size}, the model takes pictures, and {why}",
            f"{context.swift} with vLLM {context.release.vllm}: AssertionError: Expected a cached item for ...",
            f"set vllm_{_CACHE} to 0",
        )


def _given(preset: Preset, name: str) -> object:
    """An engine argument: the field's, else that of vllm_engine_kwargs."""
    value = preset.engine(f"vllm_{name}")
    return preset.engine_kwargs.get(name) if value is None else value


def _fault(context: Context) -> str | None:
    """How the two halves get out of step, or None where they do not."""
    vllm = order(context.release.vllm)  # () if the release of vLLM is unknown
    if () < vllm < order("0.12.0") and _several(_given(context.preset, _LIMIT)):
        return "a full cache may evict a picture of the prompt that it is processing, if the prompt has several"
    sleeps = context.preset.mode == "colocate" and context.values.number("sleep_level") > 0
    if sleeps and order("0.17.0") <= vllm < order("0.22.0"):
        return "an engine that sleeps drops pictures that it will not be sent again"
    return None


def _several(limit: object) -> bool:
    """Whether a prompt may hold several pictures: by default vLLM accepts any number."""
    limits = argument.mapping(limit)
    return limits is None or "image" not in limits or any(number not in (0, 1) for number in limits.values())
