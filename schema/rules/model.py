"""Rules about the model in an engine: its weights, its positions, its attention heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.checkpoint import heads
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.tokens import engine_length
from schema.split.gpus import server_size
from schema.swift import argument
from schema.swift.lengths import ROPE
from schema.swift.lengths import longest
from schema.swift.lengths import overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.checkpoint import Heads
    from schema.context import Context


@rule("quantized-learner", mode="server")
def quantized_learner(context: Context) -> Iterator[Problem]:
    """The learner's weights are quantized, and a rollout server cannot take such weights.

    `swift rollout` makes its engine without quant_method (ms-swift 3.10.0 to 4.6.0; 4.5.2,
    pipelines/infer/rollout.py:797 get_infer_engine), and the learner sends the weights that it has (ms-swift
    #6884). Only a learner's own engine may be quantized, too (4.1.0 to 4.6.0; 4.5.2,
    rlhf_trainers/rollout_mixin.py:495).
    """
    if (method := _packed(context)) is not None:
        name = "quant_method" if "quant_method" in context.preset.arguments else "model"
        yield Problem(
            context.at(name),
            f"{context.preset.path(name)} is {context.preset.value(name)!r}: the learner's weights are quantized"
            f" ({method}), and a rollout server cannot take quantized weights",
            f"{context.swift}: the first weight sync fails, or fills the server with wrong weights",
            "train without quantization, or in colocate mode",
        )


def _packed(context: Context) -> str | None:
    """How a learner packs its weights into a few bits, or None if it does not, or nothing tells.

    By quant_method (ms-swift 4.5.2, arguments/base_args/quant_args.py:44), or in a checkpoint that bitsandbytes
    has packed. What AWQ and GPTQ make is no argument, and nothing is claimed of it.
    """
    if (method := context.preset.value("quant_method")) is not None:
        return str(method)
    quant = (context.checkpoint or {}).get("quantization_config")
    return "bitsandbytes" if isinstance(quant, dict) and quant.get("quant_method") == "bitsandbytes" else None


@rule("rope-scaling-unread", needs=("use_vllm",))
def rope_scaling_unread(context: Context) -> Iterator[Problem]:
    """rope_scaling is set, but before ms-swift 4.5.0 no engine gets it, on either side of the split.

    The engine overrides only the checkpoint's architectures (3.10.0, llm/infer/infer_engine/vllm_engine.py:221,
    to 4.4.2, infer_engine/vllm_engine.py:341); 4.5.0 adds rope_scaling (infer_engine/vllm_engine.py:261).
    vllm_engine_kwargs.hf_overrides passes it in any release.
    """
    setting = context.preset.arguments.get("rope_scaling")
    if setting is None or not context.older("4.5.0") or not context.trainer.config.use_vllm:
        return
    own, wanted = context.checkpoint or {}, argument.mapping(setting.value) or {}
    plain = wanted.get("rope_type", wanted.get("type")) == "default"
    if plain or wanted in [own.get(name) for name in ROPE] or overrides(context, ROPE):
        return
    yield Problem(
        setting.place,
        f"{setting.path} is {setting.value!r}, but this release makes the engine without it",
        f"{context.swift}: the engine samples with other positions than the learner trains with, or refuses a"
        " vllm_max_model_len above the checkpoint's own",
        "use ms-swift 4.5.0 or newer, or write rope_scaling into the checkpoint's config.json",
    )


@rule("longer-than-model", needs=("vllm_max_model_len",))
def longer_than_model(context: Context) -> Iterator[Problem]:
    """vllm_max_model_len is above what the checkpoint's own config.json allows.

    vLLM refuses it ("User-specified max_model_len is greater than the derived max_model_len", 0.11.0 to 0.23.0,
    config/model.py _get_and_verify_max_len), unless VLLM_ALLOW_LONG_MAX_MODEL_LEN is 1, which ms-swift does not
    set. Presets that extend the positions themselves have no finding: rope_scaling, hf_overrides, and before 4.5.0
    max_model_len.
    """
    found, most = engine_length(context), longest(context)
    if found is None or most is None or found[0] <= most:
        return
    yield Problem(
        found[1],
        f"vllm_max_model_len is {found[0]}, but the checkpoint's config.json allows {most} tokens",
        f"{context.swift}: vLLM stops: User-specified max_model_len is greater than the derived max_model_len",
        f"set vllm_max_model_len to {most}",
    )


@rule("heads-per-gpu", needs=("vllm_tensor_parallel_size",))
def heads_per_gpu(context: Context) -> Iterator[Problem]:
    """TP does not divide the model's attention heads.

    vLLM (0.11.0 and 0.23.0, config/model.py verify_with_parallel_config) raises for attention heads; key-value
    heads are divided, or copied, by a whole number (0.23.0, model_executor/models/qwen2.py:143). This is checked
    only if the checkpoint's config.json is on this machine.
    """
    name = "vllm_tensor_parallel_size"
    found, tensor = heads(context.served_checkpoint), context.preset.engine(name)
    if found is None or not isinstance(tensor, int) or tensor < 2 or found.fit(tensor):
        return
    yield Problem(
        context.at_engine(name),
        f"vllm_tensor_parallel_size is {tensor}, but the model has {_told(found)}",
        f"{context.swift}: vLLM stops as it loads the model: attention heads must be divisible by tensor parallel"
        " size",
        _fitting(context, found, tensor),
    )


def _fitting(context: Context, found: Heads, tensor: int) -> str:
    """The fix: the largest TP that divides heads and GPUs, and the number of engines that this gives."""
    server = context.preset.mode == "server"
    side = context.split.rollout if server else context.split.train
    gpus = side.count if side else server_size(context.preset) or tensor
    fits = [size for size in range(1, min(tensor, found.queries + 1)) if found.fit(size) and gpus % size == 0]
    engines = f", and vllm_data_parallel_size to {gpus // max(fits)}" if server else ""
    return f"set vllm_tensor_parallel_size to {max(fits)}{engines}"


def _told(found: Heads) -> str:
    same = found.keys == found.queries
    return f"{found.queries} attention heads" + ("" if same else f" and {found.keys} key-value heads")
