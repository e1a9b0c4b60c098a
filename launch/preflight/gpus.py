"""Checks of the GPUs that a start is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.machine import processes
from launch.preflight.base import CONNECT
from launch.preflight.base import SIDES
from launch.preflight.base import check
from schema.findings import Severity
from schema.rules.base import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Snapshot
    from launch.state import Job
    from schema.split.nvidia import Gpu

#: MiB that may be in use on a free GPU: the driver and a display take a few hundred.
IDLE = 1024


@check("gpus-unseen", severity=Severity.WARNING)
def gpus_unseen(snapshot: Snapshot) -> Iterator[Problem]:
    """nvidia-smi is missing or fails, so the GPUs cannot be checked."""
    if snapshot.gpus is None:
        yield Problem(
            snapshot.context.preset.start,
            f"nvidia-smi does not run: nobody checked that GPU {', '.join(snapshot.plan.gpus)} exists and is free",
            "",
            "put nvidia-smi on PATH, or run it to see why it fails",
        )


@check("gpu-missing")
def gpu_missing(snapshot: Snapshot) -> Iterator[Problem]:
    """This machine does not have one of the GPUs.

    CUDA ignores it and all that follow it in CUDA_VISIBLE_DEVICES. The server raises "local_device_count must be
    greater than or equal to" (ms-swift 4.5.2, arguments/deploy_args.py:142), and the learner has fewer devices
    than processes.
    """
    missing = [gpu for gpu in snapshot.plan.gpus if not gpu.startswith("MIG-") and snapshot.gpu(gpu) is None]
    if snapshot.gpus is not None and missing:
        existing = ", ".join(gpu.number for gpu in snapshot.gpus) or "none"
        yield Problem(
            snapshot.context.preset.start,
            f"GPU {', '.join(missing)} does not exist; this machine has {existing}",
            f"{snapshot.swift}: fails for too few devices, once the model is loaded",
            "pass other GPUs: --gpus ...",
        )


@check("gpu-twice")
def gpu_twice(snapshot: Snapshot) -> Iterator[Problem]:
    """The list names one GPU twice, by its index and by its UUID."""
    names: dict[str, str] = {}
    for name in snapshot.plan.gpus:
        gpu = snapshot.gpu(name)
        if gpu is not None and gpu.uuid in names:
            yield Problem(
                snapshot.context.preset.start,
                f"--gpus names one GPU twice: {names[gpu.uuid]} and {name}",
                f"{snapshot.swift}: two engines on one GPU run out of memory",
                "name each GPU once: --gpus ...",
            )
        elif gpu is not None:
            names[gpu.uuid] = name


def _unreleased(snapshot: Snapshot) -> Iterator[str]:
    for name, gpu in _busy_gpus(snapshot):
        if not _is_held(gpu):
            yield f"GPU {name} ({gpu.used} of {gpu.total} MiB in use, by no living process)"


@check("gpu-busy", transient=_unreleased)
def gpu_busy(snapshot: Snapshot) -> Iterator[Problem]:
    """Another process holds memory of a GPU.

    vLLM asks for its share of the whole GPU, whatever runs there already: "Free memory on device ... is less than
    desired GPU memory utilization" (vLLM 0.32.0, v1/worker/utils.py:766). A server of which only a part was ended
    leaves engines that hold 28 GiB per GPU. A start waits for memory that no living process holds, for at most
    `--release-wait` seconds, because the driver releases it late (seen on H200: 1,156 MiB some seconds after a
    learner; after a kill nvidia-smi named no process any more, and still 102,927 MiB in use).
    """
    for name, gpu in _busy_gpus(snapshot):
        held = _is_held(gpu)
        cause = (
            "stop what uses it" if held else "look for a container or a user whose processes you cannot see here"
        )
        yield Problem(
            snapshot.context.preset.start,
            f"GPU {name} is not free: {gpu.used} of {gpu.total} MiB are in use, by {_users(gpu)}"
            + (f", still after {snapshot.waited:.0f} s" if snapshot.waited >= 1 and not held else ""),
            f"{snapshot.swift}: runs out of memory, or an engine refuses to start",
            f"{cause}, or pass other GPUs: --gpus ...{_candidates(snapshot)}",
        )


def _busy_gpus(snapshot: Snapshot) -> Iterator[tuple[str, Gpu]]:
    shared = {gpu for job in snapshot.jobs for gpu in _shared(snapshot, job)}
    for name in snapshot.plan.gpus:
        gpu = snapshot.gpu(name)
        if gpu is None or name in shared:  # shared-gpu reports it
            continue
        if gpu.used >= IDLE or _large_processes(gpu):
            yield name, gpu


def _large_processes(gpu: Gpu) -> list[tuple[int, int | None]]:
    return [(pid, size) for pid, size in gpu.apps if size is None or size >= IDLE]


def _is_held(gpu: Gpu) -> bool:
    """Whether living processes of this container hold the memory; nvidia-smi names others by ids of their own."""
    sizes = [size for pid, size in gpu.apps if processes.is_alive(pid)]
    return None in sizes or sum(filter(None, sizes)) >= IDLE


def _users(gpu: Gpu) -> str:
    apps = _large_processes(gpu) or gpu.apps
    users = [_describe(pid) + ("" if size is None else f" with {size} MiB") for pid, size in apps]
    return "; ".join(users) or "no process that nvidia-smi knows"


def _describe(pid: int) -> str:
    return processes.description(pid) if processes.is_alive(pid) else f"process {pid}, which does not run here"


def _candidates(snapshot: Snapshot) -> str:
    free = [gpu.number for gpu in snapshot.gpus or () if gpu.used < IDLE and not gpu.apps]
    return f" (free now: {', '.join(free)})" if free else ""


@check("shared-gpu", sides=(*SIDES, CONNECT))
def shared_gpu(snapshot: Snapshot) -> Iterator[Problem]:
    """Another job of this project uses a GPU: the other side of this job, or a second job.

    The first weight sync fails with "Duplicate GPU detected ... both on CUDA device", NCCL error: invalid usage
    (seen on ms-swift 4.5.2; rlhf_trainers/vllm_client.py init_communicator).
    """
    for job in snapshot.jobs:
        if shared := _shared(snapshot, job):
            yield Problem(
                snapshot.context.preset.start,
                f"GPU {', '.join(shared)} is used by {job.description()}",
                f"{snapshot.swift}: the first weight sync fails: NCCL error: invalid usage (Duplicate GPU)",
                f"pass other GPUs for this side: --gpus ...{_candidates(snapshot)}",
            )


def _shared(snapshot: Snapshot, job: Job) -> list[str]:
    other_gpus = {_identity(snapshot, gpu) for gpu in job.gpus}
    return [gpu for gpu in snapshot.plan.gpus if _identity(snapshot, gpu) in other_gpus]


def _identity(snapshot: Snapshot, name: str) -> str:
    gpu = snapshot.gpu(name)
    return gpu.uuid if gpu is not None else name
