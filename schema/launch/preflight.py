"""Checks of this machine before anything is loaded; like rules, but about the world outside the preset."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from schema.findings import Finding
from schema.findings import Severity
from schema.launch import probe
from schema.launch.state import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.launch.plan import Plan
    from schema.launch.state import Claim
    from schema.rules import Context

#: Seconds between two looks at a server that is loading, and between two lines about it.
POLL, REMIND = 1.0, 10.0


def server_findings(context: Context, plan: Plan) -> Iterator[Finding]:
    """What speaks against starting a server here: its port is taken.

    ms-swift would move to the next free port without a word, and the learner would talk to whatever holds
    this one (4.5.2, arguments/deploy_args.py:57 and utils/utils.py find_free_port; seen on real GPUs).
    """
    host, port = plan.facts["host"], int(plan.facts["port"])
    if probe.healthy(host, port):
        holder = "a server that answers /health/"
    elif not probe.bindable(port):
        holder = "a listener, or a connection that was closed less than a minute ago"
    else:
        return
    yield Finding(
        "port-taken",
        Severity.ERROR,
        context.at("vllm_server_port"),
        f"port {port} is held by {holder}",
        f"{context.swift}: the server would move to port {port + 1} without a word, and the learner would"
        f" talk to whatever holds {port}",
        "stop what holds it, wait a minute after a server has ended, or change rlhf.vllm_server_port",
    )


def learner_findings(context: Context, plan: Plan, wait: float) -> Iterator[Finding]:
    """What speaks against starting a learner here.

    Args:
        context: a preset in server mode.
        plan: the learner's launch plan.
        wait: seconds to wait for the server's `/health/`.
    """
    yield from _shared_gpus(context, plan)
    host, port = plan.facts["host"], int(plan.facts["port"])
    if not _wait_healthy(host, port, wait):
        yield Finding(
            "server-not-ready",
            Severity.ERROR,
            context.at("vllm_server_port"),
            f"no rollout server answered at {probe.url(host, port, '/health/')} within {wait:g} seconds",
            f"{context.swift}: ConnectionError: Servers not reachable",
            "start scripts/grpo_rollout_server.sh first, or raise wait_timeout if it is still loading",
        )
        return
    expected, size = int(plan.facts["world_size"]), probe.world_size(host, port)
    if size != expected:
        yield Finding(
            "server-of-another-size",
            Severity.ERROR,
            context.at_server("vllm_data_parallel_size"),
            f"the server on port {port} has world size {size}, but this preset means TP x DP = {expected}",
            "it is a stale server, or one of another preset: the learner would train against it",
            "stop that server, and start the one of this preset",
        )


def _shared_gpus(context: Context, plan: Plan) -> Iterator[Finding]:
    mine = plan.facts["gpus"].split(",")
    for claim in claims():
        shared = [gpu for gpu in mine if gpu in claim.gpus]
        if shared:
            yield Finding(
                "shared-gpu",
                Severity.ERROR,
                context.preset.start,
                f"GPU {', '.join(shared)} is used by the rollout server on port {claim.port} (process"
                f" {claim.launcher}, GPUs {','.join(claim.gpus)})",
                f"{context.swift}: NCCL error: invalid usage (Duplicate GPU detected)",
                "give the learner other GPUs: gpus=...",
            )


def _wait_healthy(host: str, port: int, wait: float) -> bool:
    begun = time.monotonic()
    reminded = begun
    claimed = _claim(port)
    while not probe.healthy(host, port):
        now = time.monotonic()
        if now - begun >= wait or (claimed is not None and _claim(port) is None):
            return False  # out of time, or the launcher that was loading the server has ended
        if now - reminded >= REMIND:
            reminded = now
            print(f"waiting for {probe.url(host, port, '/health/')} ({now - begun:.0f} s)", file=sys.stderr)
        time.sleep(POLL)
    return True


def _claim(port: int) -> Claim | None:
    return next((claim for claim in claims() if claim.port == port), None)
