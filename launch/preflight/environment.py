"""Checks of the variables that a start inherits from the operator's shell, or gets from the preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.argv.plan import proxies
from launch.preflight.base import check
from schema.findings import Severity
from schema.rules.base import Problem
from schema.swift.variables import ALLOCATORS
from schema.swift.variables import segments_expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Snapshot


@check("inherited-launch", severity=Severity.WARNING)
def inherited_launch(snapshot: Snapshot) -> Iterator[Problem]:
    """This shell has variables of a distributed launch; both sides start without them.

    With RANK and LOCAL_RANK `swift rollout` would start DDP (ms-swift 4.5.2, arguments/base_args/base_args.py),
    with NPROC_PER_NODE `swift` would call torchrun (cli/main.py:77), and two jobs that inherit one MASTER_PORT
    would meet on it.
    """
    inherited = [
        f"{name}={snapshot.environment[name]}" for name in snapshot.plan.unset if name in snapshot.environment
    ]
    if inherited:
        yield Problem(
            snapshot.context.preset.start,
            f"this shell sets {', '.join(inherited)}; the launcher does not pass them on",
            "",
            "unset them if they are left over from another job",
        )


@check("master-port-clash", severity=Severity.WARNING)
def master_port_clash(snapshot: Snapshot) -> Iterator[Problem]:
    """MASTER_PORT is the server's port or the group port.

    Neither side of this job gets the variable, but another job from this shell would use the server's port.
    """
    value = snapshot.environment.get("MASTER_PORT")
    if value in (str(snapshot.server.port), str(snapshot.server.group_port)):
        yield Problem(
            snapshot.context.at("vllm_server_port"),
            f"MASTER_PORT={value} is a port of the rollout server",
            "another job of this shell cannot open its rendezvous, or takes the server's port",
            "change MASTER_PORT or the preset's port",
        )


@check("proxied-loopback", severity=Severity.WARNING, sides=("learner",))
def proxied_loopback(snapshot: Snapshot) -> Iterator[Problem]:
    """A proxy would receive the learner's requests to the server on this machine.

    ms-swift asks through `requests`, which follows http_proxy even to loopback, and would wait for the whole
    vllm_server_timeout (4.5.2, rlhf_trainers/vllm_client.py:73-84). The launcher adds the server to no_proxy.
    """
    variables = proxies(snapshot.environment)
    if variables and snapshot.plan.environment.keys() & {"no_proxy", "NO_PROXY"}:
        yield Problem(
            snapshot.context.at("vllm_server_host"),
            f"{', '.join(variables)} would send requests to {snapshot.server.host} through a proxy; the launcher"
            " adds it to no_proxy",
            "",
            f"set no_proxy={snapshot.server.host} in this shell, so that every program asks the server directly",
        )


@check("vllm-v0", sides=("server",))
def vllm_v0(snapshot: Snapshot) -> Iterator[Problem]:
    """VLLM_USE_V1=0 selects vLLM's old engine, which cannot receive weights.

    The first weight sync raises `NotImplementedError` or "'LLMEngine' has no collective_rpc" (ms-swift #6935).
    """
    if snapshot.environment.get("VLLM_USE_V1") == "0":
        yield Problem(
            snapshot.context.preset.start,
            snapshot.describe_variable("VLLM_USE_V1"),
            f"{snapshot.swift}: the first weight sync raises NotImplementedError: collective_rpc",
            snapshot.unset_advice("VLLM_USE_V1"),
        )


@check("expandable-segments", severity=Severity.WARNING)
def expandable_segments(snapshot: Snapshot) -> Iterator[Problem]:
    """The allocator's settings ask for expandable_segments.

    Users reported NCCL errors at the weight sync with them (ms-swift #6960 and #5428); torch reads
    PYTORCH_ALLOC_CONF, and PYTORCH_CUDA_ALLOC_CONF before 2.9.
    """
    for name in ALLOCATORS:
        value = snapshot.environment.get(name, "")
        if segments_expand(value):
            yield Problem(
                snapshot.context.preset.start,
                snapshot.describe_variable(name),
                f"{snapshot.swift}: users reported NCCL errors at the weight sync",
                f"remove expandable_segments from {name}",
            )
