"""Rules about what an engine makes of the model: its weights, its positions, its attention heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import argument
from schema.checkpoint import config
from schema.checkpoint import heads
from schema.resolve.tree import Branch
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.releases import older
from schema.split import server_size
from schema.swift.weights import packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.checkpoint import Heads
    from schema.place import Place
    from schema.rules.base import Context

_ROPE = ("rope_scaling", "rope_parameters")


@rule("quantized-learner", mode="server")
def quantized_learner(context: Context) -> Iterator[Problem]:
    """A learner with packed weights, and a rollout server, which can take none.

    `swift rollout` makes its engine without quant_method (ms-swift 3.10.0 to 4.6.0; 4.5.2,
    pipelines/infer/rollout.py:797 get_infer_engine), and the learner sends what it has (ms-swift #6884). Only a
    learner's own engine may be quantized alike (4.1.0 to 4.6.0; 4.5.2, rlhf_trainers/rollout_mixin.py:495).
    """
    if (method := packed(context.preset)) is not None:
        said = "quant_method" if "quant_method" in context.preset.arguments else "model"
        yield Problem(
            context.at(said),
            f"{context.preset.path(said)} is {context.preset.value(said)!r}: the learner's weights are quantized"
            f" ({method}), and a rollout server takes none that are",
            f"{context.swift}: the first weight sync fails, or fills the server with wrong weights",
            "train with whole weights, or in colocate mode",
        )


@rule("rope-scaling-unread", needs=("use_vllm",))
def rope_scaling_unread(context: Context) -> Iterator[Problem]:
    """rope_scaling, which no engine gets before ms-swift 4.5.0, on either side of the split.

    The engine overrides the checkpoint's architectures alone (3.10.0, llm/infer/infer_engine/vllm_engine.py:221,
    to 4.4.2, infer_engine/vllm_engine.py:341); 4.5.0 adds rope_scaling (infer_engine/vllm_engine.py:261).
    vllm_engine_kwargs.hf_overrides says it to any release.
    """
    said = context.preset.arguments.get("rope_scaling")
    if said is None or not older(context, "4.5.0") or not context.trainer.config.use_vllm:
        return
    own, wanted = config(context.preset.value("model")) or {}, argument.mapping(said.value) or {}
    plain = wanted.get("rope_type", wanted.get("type")) == "default"
    if plain or wanted in [own.get(name) for name in _ROPE] or _overridden(context):
        return
    yield Problem(
        said.place,
        f"{said.path} is {said.value!r}, and this release makes the engine without it",
        f"{context.swift}: the engine samples with other positions than the learner trains with, or refuses a"
        " vllm_max_model_len above the checkpoint's own",
        "use ms-swift 4.5.0 or newer, or write rope_scaling into the checkpoint's config.json",
    )


def _overridden(context: Context) -> bool:
    ask = context.preset.served if context.preset.mode == "server" else context.preset.value
    overrides = (argument.mapping(ask("vllm_engine_kwargs")) or {}).get("hf_overrides")
    return isinstance(overrides, dict) and not overrides.keys().isdisjoint(_ROPE)


@rule("heads-per-gpu", needs=("vllm_tensor_parallel_size",))
def heads_per_gpu(context: Context) -> Iterator[Problem]:
    """TP that the model's attention heads cannot be divided by.

    vLLM (0.11.0 and 0.23.0, config/model.py verify_with_parallel_config) raises for heads; those of keys and
    values are divided, or copied, by a whole number (0.23.0, model_executor/models/qwen2.py:143). Only where the
    checkpoint's config.json is here.
    """
    server = context.preset.mode == "server"
    model = context.preset.served("model") if server else context.preset.value("model")
    found, (tensor, place) = heads(model), _tensor(context, server=server)
    if found is None or tensor < 2 or found.fit(tensor):
        return
    yield Problem(
        place,
        f"vllm_tensor_parallel_size is {tensor}, but the model has {_told(found)}",
        f"{context.swift}: vLLM stops as it loads the model: attention heads must be divisible by tensor parallel"
        " size",
        _fitting(context, found, tensor, server=server),
    )


def _fitting(context: Context, found: Heads, tensor: int, *, server: bool) -> str:
    """The fix: the largest engine that heads and GPUs divide by, and as many engines as that makes."""
    side = context.split.rollout if server else context.split.train
    gpus = side.count if side else server_size(context.preset) or tensor
    fits = [one for one in range(1, min(tensor, found.queries + 1)) if found.fit(one) and gpus % one == 0]
    engines = f", and vllm_data_parallel_size to {gpus // max(fits)}" if server else ""
    return f"set vllm_tensor_parallel_size to {max(fits)}{engines}"


def _tensor(context: Context, *, server: bool) -> tuple[int, Place]:
    name = "vllm_tensor_parallel_size"
    block = context.preset.block
    said = (block.value(name) if isinstance(block, Branch) else None) if server else context.preset.value(name)
    return (said if isinstance(said, int) else 1), context.at_server(name) if server else context.at(name)


def _told(found: Heads) -> str:
    same = found.keys == found.queries
    return f"{found.queries} attention heads" + ("" if same else f", {found.keys} of them for keys and values")
