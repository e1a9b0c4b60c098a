"""Checks of this machine before anything is loaded; like rules, but about the world outside the preset."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from schema.findings import Finding
from schema.findings import Severity
from schema.launch import probe
from schema.launch.state import claim_file
from schema.launch.state import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.launch.plan import Plan
    from schema.launch.state import Claim
    from schema.rules import Context

#: Seconds between two looks at a server that is loading, and between two lines about it.
POLL, REMIND = 0.5, 10.0
#: Seconds that a holder of the port gets to show that it is a server; it is refused anyway.
GLANCE = 0.5


def server_findings(context: Context, plan: Plan) -> Iterator[Finding]:
    """What speaks against starting a server here: its port is taken, or about to be.

    ms-swift would move to the next free port without a word, and the learner would talk to whatever holds
    this one (4.5.2, arguments/deploy_args.py:57 and utils/utils.py find_free_port; seen on real GPUs).
    """
    host, port = plan.facts["host"], int(plan.facts["port"])
    if probe.healthy(host, port, GLANCE):
        holder = "a server that answers /health/"
    elif not probe.bindable(port):
        holder = "a listener, or a connection that was closed less than a minute ago"
    elif loading := _claim(port):
        holder = f"a rollout server that is loading: {_named(loading)}"
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


def learner_findings(context: Context, plan: Plan, wait: float) -> list[Finding]:
    """What speaks against starting a learner here; the first that is found.

    Args:
        context: a preset in server mode.
        plan: the learner's launch plan.
        wait: seconds to wait for the server's `/health/`.
    """
    return (
        _shared_gpus(context, plan)
        or _not_ready(context, plan, wait)
        or _shared_gpus(context, plan)  # again, for the server may have been started meanwhile
        or _another_server(context, plan)
    )


def _shared_gpus(context: Context, plan: Plan) -> list[Finding]:
    mine = plan.facts["gpus"].split(",")
    return [
        Finding(
            "shared-gpu",
            Severity.ERROR,
            context.preset.start,
            f"GPU {', '.join(shared)} is used by the rollout server on port {claim.port}: {_named(claim)}",
            f"{context.swift}: NCCL error: invalid usage (Duplicate GPU detected)",
            "give the learner other GPUs: gpus=...",
        )
        for claim in claims()
        if (shared := [gpu for gpu in mine if gpu in claim.gpus])
    ]


def _not_ready(context: Context, plan: Plan, wait: float) -> list[Finding]:
    host, port = plan.facts["host"], int(plan.facts["port"])
    reason = _wait_healthy(host, port, wait)
    if reason is None:
        return []
    return [
        Finding(
            "server-not-ready",
            Severity.ERROR,
            context.at("vllm_server_port"),
            f"no rollout server answers at {probe.url(host, port, '/health/')}: {reason}",
            f"{context.swift}: ConnectionError: Servers not reachable",
            "start scripts/grpo_rollout_server.sh first, or raise wait_timeout if it is still loading",
        )
    ]


def _another_server(context: Context, plan: Plan) -> list[Finding]:
    host, port, size = plan.facts["host"], int(plan.facts["port"]), int(plan.facts["world_size"])
    claim, answered = _claim(port), probe.world_size(host, port)
    if answered != size:
        difference = f"the server on port {port} has world size {answered}, but this preset means TP x DP = {size}"
    elif claim is not None and claim.digest != plan.facts["digest"]:
        difference = f"the server on port {port} was started with other settings: {_named(claim)}"
    else:
        return []
    return [
        Finding(
            "another-server",
            Severity.ERROR,
            context.at_server("vllm_data_parallel_size"),
            difference,
            "it is a stale server, or one of another preset: the learner would train against it",
            "stop that server, and start the one of this preset",
        )
    ]


def _wait_healthy(host: str, port: int, wait: float) -> str | None:
    """Waits for a server; returns why there is none, or None once it is healthy."""
    begun = time.monotonic()
    remind = begun
    claimed = _claim(port)
    while not probe.healthy(host, port):
        now = time.monotonic()
        if claimed is not None and _claim(port) is None:
            return f"its launcher, process {claimed.launcher}, has ended"
        claimed = _claim(port)
        if now - begun >= wait:
            return f"waited {wait:g} seconds"
        if now >= remind:
            remind = now + REMIND
            print(f"waiting for {probe.url(host, port, '/health/')} ({now - begun:.0f} s)", file=sys.stderr)
        time.sleep(POLL)
    return None


def _claim(port: int) -> Claim | None:
    return next((claim for claim in claims() if claim.port == port), None)


def _named(claim: Claim) -> str:
    return f"process {claim.launcher}, GPUs {','.join(claim.gpus)}, {claim.model} ({claim_file(claim.port)})"
