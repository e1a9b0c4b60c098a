"""Rules about how many GPUs the preset asks for, on each side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.releases import refuses_engines
from schema.swift.engine import is_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context


@rule("rollout-gpus", mode="server", needs=("vllm_tensor_parallel_size", "vllm_data_parallel_size"))
def rollout_gpus(context: Context) -> Iterator[Problem]:
    """TP x DP differs from the number of rollout GPUs, or leaves no GPU of the node for the learner.

    Too few GPUs: ValueError at start; too many: only the first TP x DP are used (ms-swift 4.5.2,
    arguments/deploy_args.py:142-161 _check_device_count). Both default to 1.
    """
    if context.server is None:
        return
    config, gpus, node = context.server.config, context.split.rollout, context.preset.project.settings.gpus
    tensor, engines = config.vllm_tensor_parallel_size, config.vllm_data_parallel_size
    size, product = tensor * engines, f"TP {tensor} x DP {engines} = {tensor * engines}"
    if gpus is not None and size != gpus.count:
        raises = "ValueError: local_device_count must be greater"
        yield Problem(
            context.at_server("vllm_data_parallel_size"),
            f"{product}, but {gpus.count} GPUs roll out",
            f"{context.swift}: {raises if size > gpus.count else 'idle GPUs, and only a warning'}",
            _engines(context, tensor, gpus.count),
        )
    elif node is not None and context.split.train is None and size >= node:
        yield Problem(
            context.at_server("vllm_data_parallel_size"),
            f"{product}, but gpus in pyproject.toml is {node}: none is left for the learner",
            "learner and server cannot share a GPU: NCCL error: invalid usage (Duplicate GPU detected)",
            "lower TP or DP, or raise gpus",
        )


def _engines(context: Context, tensor: int, gpus: int) -> str:
    """The fix: another DP, if TP divides the GPUs and no other finding forbids so many engines."""
    several = gpus > tensor
    lonely = several and tensor == 1 and is_async(context.preset, context.release.version)
    if gpus % tensor or lonely or (several and refuses_engines(context)):
        return "change vllm_tensor_parallel_size or the number of rollout GPUs"
    return f"set vllm_data_parallel_size to {gpus // tensor}"


@rule(
    "async-data-parallel",
    severity=Severity.WARNING,
    mode="server",
    needs=("vllm_tensor_parallel_size", "vllm_data_parallel_size", "vllm_use_async_engine"),
)
def async_data_parallel(context: Context) -> Iterator[Problem]:
    """Several engines of one GPU each, on the async engine.

    ms-swift's own guide to GRPO warns of data parallelism without tensor parallelism there (vLLM #18567).
    """
    if context.server is None or not is_async(context.preset, context.release.version):
        return
    config = context.server.config
    if config.vllm_data_parallel_size > 1 and config.vllm_tensor_parallel_size == 1:
        yield Problem(
            context.at_server("vllm_data_parallel_size"),
            f"vllm_data_parallel_size is {config.vllm_data_parallel_size}, with TP 1 on the async engine",
            f"{context.swift}: vLLM can fail with it (vLLM #18567)",
            "combine it with tensor parallelism, or use the sync engine",
        )


@rule("scheduler-on-sync-engine", mode="server", needs=("vllm_use_async_engine",))
def scheduler_on_sync_engine(context: Context) -> Iterator[Problem]:
    """A multi_turn_scheduler needs the async engine, which is off; expert parallelism does not change that.

    ms-swift 3.10.0 (llm/argument/deploy_args.py:127) to 4.6.0 (arguments/deploy_args.py:139).
    """
    scheduler = context.preset.served("multi_turn_scheduler")
    if context.server is not None and scheduler and context.server.config.vllm_use_async_engine is False:
        yield Problem(
            context.at_server("vllm_use_async_engine"),
            f"vllm_use_async_engine is false, but multi_turn_scheduler is {scheduler!r}",
            f"{context.swift}: ValueError: please set vllm_use_async_engine to True with multi-turn scheduler",
            "remove vllm_use_async_engine, or the scheduler",
        )


@rule("pipeline-parallel", mode="server", needs=("vllm_pipeline_parallel_size",))
def pipeline_parallel(context: Context) -> Iterator[Problem]:
    """Pipeline parallelism on the server: ms-swift 4.5.2, arguments/deploy_args.py:132."""
    if context.server is not None and context.server.config.vllm_pipeline_parallel_size > 1:
        yield Problem(
            context.at_server("vllm_pipeline_parallel_size"),
            f"vllm_pipeline_parallel_size is {context.server.config.vllm_pipeline_parallel_size}",
            f"{context.swift}: ValueError: RolloutArguments does not support pipeline parallelism",
            "remove it, or set it to 1",
        )


@rule("colocate-tensor-parallel", mode="colocate", needs=("vllm_tensor_parallel_size",))
def colocate_tensor_parallel(context: Context) -> Iterator[Problem]:
    """TP does not divide the number of learners in colocate mode.

    ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:433.
    """
    setting = context.preset.arguments.get("vllm_tensor_parallel_size")
    train = context.split.train
    if setting is None or train is None or not isinstance(setting.value, int):
        return
    if train.count % setting.value:
        yield Problem(
            setting.place,
            f"vllm_tensor_parallel_size is {setting.value}, which does not divide {train.count} learners",
            f"{context.swift}: ValueError: vllm_tensor_parallel_size must divide world size evenly",
            "change vllm_tensor_parallel_size or the number of training GPUs",
        )


@rule("sequence-parallel", needs=("use_vllm",))
def sequence_parallel(context: Context) -> Iterator[Problem]:
    """sequence_parallel_size does not divide the number of learners.

    Each group of so many learners shares one sequence; W // sequence_parallel_size groups are laid out as a device
    mesh, which cannot hold a remainder, or fewer learners than one group has (ms-swift 3.10.0,
    trainers/sequence_parallel/ulysses.py:689, to 4.6.0; 4.5.2, sequence_parallel/sequence_parallel.py:650
    _init_device_mesh).
    """
    size, train = context.values.number("sequence_parallel_size"), context.split.train
    if train is None or size <= 1 or train.count % size == 0:
        return
    yield Problem(
        context.at("sequence_parallel_size"),
        f"sequence_parallel_size is {size:g}, which does not divide W = {train.count}"
        f" ({context.split.train_source})",
        f"{context.swift}: the learners cannot be laid out in groups, so torch's device mesh raises{context.late}",
        f"set sequence_parallel_size to a divisor of {train.count}, or train on a multiple of {size:g} GPUs",
    )
