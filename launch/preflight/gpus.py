"""Checks of the GPUs that a start is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.machine import processes
from launch.preflight.base import CONNECT
from launch.preflight.base import SIDES
from launch.preflight.base import check
from schema.findings import Severity
from schema.rules.base import Problem
from schema.split.nvidia import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Look
    from launch.state import Job
    from schema.split.nvidia import Gpu

#: MiB that may be in use on a free GPU: driver and display take a few hundred.
IDLE = 1024


@check("gpus-unseen", severity=Severity.WARNING)
def gpus_unseen(look: Look) -> Iterator[Problem]:
    """nvidia-smi is missing or fails, so nothing is known of the GPUs."""
    if look.gpus is None:
        yield Problem(
            look.context.preset.start,
            f"nvidia-smi does not run here, so nobody checked that GPU {', '.join(look.plan.gpus)} exists and is"
            " free",
            "",
            "put nvidia-smi on PATH, or run it to see why it fails",
        )


@check("gpu-missing")
def gpu_missing(look: Look) -> Iterator[Problem]:
    """A GPU that this machine does not have.

    CUDA ignores it and all that follow in CUDA_VISIBLE_DEVICES: "local_device_count must be greater than or
    equal to" (ms-swift 4.5.2, arguments/deploy_args.py:142) on the server, fewer devices than processes on the
    learner.
    """
    missing = [gpu for gpu in look.plan.gpus if not gpu.startswith("MIG-") and find(look.gpus or (), gpu) is None]
    if look.gpus is not None and missing:
        has = ", ".join(gpu.number for gpu in look.gpus) or "none"
        yield Problem(
            look.context.preset.start,
            f"GPU {', '.join(missing)} does not exist; this machine has {has}",
            f"{look.swift}: too few devices, once the model is loaded",
            "give other GPUs: --gpus ...",
        )


@check("gpu-twice")
def gpu_twice(look: Look) -> Iterator[Problem]:
    """One GPU under two names, its index and its UUID."""
    seen: dict[str, str] = {}
    for said in look.plan.gpus:
        gpu = find(look.gpus or (), said)
        if gpu is not None and gpu.uuid in seen:
            yield Problem(
                look.context.preset.start,
                f"GPU {said} is listed twice: it is {seen[gpu.uuid]}, too",
                f"{look.swift}: two engines on one GPU, out of memory",
                "name each GPU once: --gpus ...",
            )
        elif gpu is not None:
            seen[gpu.uuid] = said


def _given_back(look: Look) -> Iterator[str]:
    for said, gpu in _busy(look):
        if not _is_held(gpu):
            yield f"GPU {said} ({gpu.used} of {gpu.total} MiB in use, by no living process)"


@check("gpu-busy", late=_given_back)
def gpu_busy(look: Look) -> Iterator[Problem]:
    """A GPU on which another process holds memory.

    vLLM asks for its share of the whole GPU, whatever else lives there: "Free memory on device ... is less than
    desired GPU memory utilization" (vLLM 0.32.0, v1/worker/utils.py:766); a server that was not ended whole leaves
    engines that hold 28 GiB a GPU. What no living process holds is waited for, `--release-wait` seconds at most:
    the driver gives it back late (seen on H200: 1,156 MiB some seconds after a learner; after a kill nvidia-smi
    named no process any more, and still 102,927 MiB in use).
    """
    for said, gpu in _busy(look):
        held = _is_held(gpu)
        cause = "end what uses it" if held else "look for a container or a user whose processes are not seen here"
        yield Problem(
            look.context.preset.start,
            f"GPU {said} is not free: {gpu.used} of {gpu.total} MiB are in use, by {_by(gpu)}"
            + (f", still after {look.waited:.0f} s" if look.waited >= 1 and not held else ""),
            f"{look.swift}: out of memory, or an engine that refuses to start",
            f"{cause}, or give other GPUs: --gpus ...{_candidates(look)}",
        )


def _busy(look: Look) -> Iterator[tuple[str, Gpu]]:
    shared = {gpu for job in look.jobs for gpu in _shared(look, job)}
    for said in look.plan.gpus:
        gpu = find(look.gpus or (), said)
        if gpu is None or said in shared:  # shared-gpu tells
            continue
        if gpu.used >= IDLE or _counting(gpu):
            yield said, gpu


def _counting(gpu: Gpu) -> list[tuple[int, int | None]]:
    return [(pid, held) for pid, held in gpu.apps if held is None or held >= IDLE]


def _is_held(gpu: Gpu) -> bool:
    """Whether processes that live hold what is in use; of a container beside this one nothing is known."""
    living = [held for pid, held in gpu.apps if processes.lives(pid)]
    return None in living or sum(filter(None, living)) >= IDLE


def _by(gpu: Gpu) -> str:
    apps = _counting(gpu) or gpu.apps
    named = [_named(pid) + ("" if held is None else f" with {held} MiB") for pid, held in apps]
    return "; ".join(named) or "no process that nvidia-smi knows"


def _named(pid: int) -> str:
    return processes.named(pid) if processes.lives(pid) else f"process {pid}, which does not run here"


def _candidates(look: Look) -> str:
    free = [gpu.number for gpu in look.gpus or () if gpu.used < IDLE and not gpu.apps]
    return f" (free now: {', '.join(free)})" if free else ""


@check("shared-gpu", sides=(*SIDES, CONNECT))
def shared_gpu(look: Look) -> Iterator[Problem]:
    """A GPU that another job of this project uses: the other side of this one, or a second one.

    "Duplicate GPU detected ... both on CUDA device", NCCL error: invalid usage, at the first weight sync (seen
    on ms-swift 4.5.2; rlhf_trainers/vllm_client.py init_communicator).
    """
    for job in look.jobs:
        if shared := _shared(look, job):
            yield Problem(
                look.context.preset.start,
                f"GPU {', '.join(shared)} is used by {job.named()}",
                f"{look.swift}: NCCL error: invalid usage (Duplicate GPU detected)",
                f"give this side other GPUs: --gpus ...{_candidates(look)}",
            )


def _shared(look: Look, job: Job) -> list[str]:
    theirs = {_identity(look, gpu) for gpu in job.gpus}
    return [gpu for gpu in look.plan.gpus if _identity(look, gpu) in theirs]


def _identity(look: Look, said: str) -> str:
    gpu: Gpu | None = find(look.gpus or (), said)
    return gpu.uuid if gpu is not None else said
