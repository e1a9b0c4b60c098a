"""Checks of the variables that a start inherits from the operator's shell."""

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

    from launch.preflight.base import Look


@check("inherited-launch", severity=Severity.WARNING)
def inherited_launch(look: Look) -> Iterator[Problem]:
    """Variables of a distributed launch in this shell: both sides are started without them.

    With RANK and LOCAL_RANK `swift rollout` would start DDP (ms-swift 4.5.2, arguments/base_args/base_args.py),
    with NPROC_PER_NODE `swift` would call torchrun (cli/main.py:77), and two jobs that inherit one MASTER_PORT
    meet on it.
    """
    found = [f"{name}={look.environment[name]}" for name in look.plan.unset if name in look.environment]
    if found:
        yield Problem(
            look.context.preset.start,
            f"{', '.join(found)}: inherited from this shell, and not handed on",
            "",
            "unset them if they are left over from another job",
        )


@check("master-port-clash", severity=Severity.WARNING)
def master_port_clash(look: Look) -> Iterator[Problem]:
    """MASTER_PORT is the server's port or the group port.

    Neither side of this job gets it, but whatever else runs from this shell meets the server there.
    """
    said = look.environment.get("MASTER_PORT")
    if said in (str(look.server.port), str(look.server.group_port)):
        yield Problem(
            look.context.at("vllm_server_port"),
            f"MASTER_PORT={said} is a port of the rollout server",
            "another job of this shell cannot open its rendezvous, or takes the server's port",
            "change MASTER_PORT or the preset's port",
        )


@check("proxied-loopback", severity=Severity.WARNING, sides=("learner",))
def proxied_loopback(look: Look) -> Iterator[Problem]:
    """A proxy that would catch the learner's requests to the server on this machine.

    ms-swift asks through `requests`, which follows http_proxy even to loopback, and would wait for the whole
    vllm_server_timeout (4.5.2, rlhf_trainers/vllm_client.py:73-84). The launcher adds the server to no_proxy.
    """
    named = proxies(look.environment)
    if named and look.plan.environment.keys() & {"no_proxy", "NO_PROXY"}:
        yield Problem(
            look.context.at("vllm_server_host"),
            f"{', '.join(named)} would catch requests to {look.server.host}; it is added to no_proxy",
            "",
            f"no_proxy={look.server.host} in this shell makes every program do so",
        )


@check("vllm-v0", sides=("server",))
def vllm_v0(look: Look) -> Iterator[Problem]:
    """VLLM_USE_V1=0 selects vLLM's old engine, which cannot take weights.

    `NotImplementedError` or "'LLMEngine' has no collective_rpc" at the first weight sync (ms-swift #6935).
    """
    if look.environment.get("VLLM_USE_V1") == "0":
        yield Problem(
            look.context.preset.start,
            look.said("VLLM_USE_V1"),
            f"{look.swift}: NotImplementedError: collective_rpc, at the first weight sync",
            look.unsaid("VLLM_USE_V1"),
        )


@check("expandable-segments", severity=Severity.WARNING)
def expandable_segments(look: Look) -> Iterator[Problem]:
    """expandable_segments in the allocator's settings: NCCL errors at the weight sync were reported.

    ms-swift #6960 and #5428; torch reads PYTORCH_ALLOC_CONF, and PYTORCH_CUDA_ALLOC_CONF before 2.9.
    """
    for name in ALLOCATORS:
        said = look.environment.get(name, "")
        if segments_expand(said):
            yield Problem(
                look.context.preset.start,
                look.said(name),
                f"{look.swift}: NCCL errors at the weight sync were reported",
                "leave expandable_segments out",
            )
