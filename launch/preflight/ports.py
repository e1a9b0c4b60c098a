"""Checks of the ports that a start needs, and of other jobs of this project on the node."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from launch.machine import processes
from launch.machine import tcp
from launch.machine.rollout import Server
from launch.preflight.base import check
from schema.rules.base import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Look

#: Seconds that a holder of the port gets to show that it is a server; it is refused anyway.
GLANCE = 0.5


def _given_back(look: Look) -> Iterator[str]:
    if not tcp.bindable(look.server.port) and tcp.lingers(look.server.port):
        yield f"port {look.server.port} (connections in TIME_WAIT)"


@check("port-taken", sides=("server",), late=_given_back)
def port_taken(look: Look) -> Iterator[Problem]:
    """The server's port is held: by a listener, by a server that answers, or by connections in TIME_WAIT.

    ms-swift would move to the next free port without a word, and the learner would talk to whatever holds this
    one (4.5.2, arguments/deploy_args.py:57 and utils/utils.py:299 find_free_port; seen on real GPUs). It binds
    without SO_REUSEADDR, so connections that a server closed less than a minute ago are enough; a start waits for
    these, `--release-wait` seconds at most.
    """
    port = look.server.port
    if tcp.bindable(port):
        return
    fix = f"stop it, or change {look.context.preset.path('vllm_server_port')} from {port} to a free port"
    if tcp.lingers(port):
        holder = "connections in TIME_WAIT, which a server leaves that ended less than a minute ago"
        fix = "start again in a minute"
    elif Server(look.server.host, port).healthy(GLANCE):
        holder = f"a server that answers /health/: {tcp.holders(port)}"
    else:
        holder = tcp.holders(port)
    yield Problem(
        look.context.at("vllm_server_port"),
        f"port {port} is held by {holder}",
        f"{look.swift}: the server would move to port {port + 1} without a word, and the learner would talk to"
        f" whatever holds {port}",
        fix,
    )


@check("group-port-taken")
def group_port_taken(look: Look) -> Iterator[Problem]:
    """The port on which weights are synchronised is held, by something else than the server itself.

    The server opens it on its host once the learner connects (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184;
    51216 unless vllm_server_group_port says otherwise): "Address already in use", after both sides were loaded.
    """
    port = look.server.group_port
    if look.trusted or tcp.bindable(port, reuse=True) or _servers_own(look, port):
        return
    yield Problem(
        look.context.at("vllm_server_group_port"),
        f"group port {port} is held by {tcp.holders(port)}",
        f"{look.swift}: once the learner connects, both sides hang or die: Address already in use",
        f"stop what holds it, or set {look.context.preset.path('vllm_server_group_port')} to a free port",
    )


def _servers_own(look: Look, port: int) -> bool:
    # A learner that was killed leaves it open in the server, which closes it when the next one connects.
    groups = {job.group for job in look.jobs if job.kind == "server" and job.server.port == look.server.port}
    held = [process for pid in tcp.owners(port) if (process := processes.read(pid)) is not None]
    return any(process.group in groups for process in held)


@check("engine-port-clash", sides=("server",))
def engine_port_clash(look: Look) -> Iterator[Problem]:
    """VLLM_PORT is set, and vLLM takes its internal ports from there upwards.

    vLLM 0.32.0, utils/network_utils.py:233 _get_open_port: it would take the server's port, which ms-swift binds
    only after the model is loaded ("[Errno 98] error while attempting to bind", exit code 3).
    """
    said = look.environment.get("VLLM_PORT", "")
    for name, port in (("the server's port", look.server.port), ("the group port", look.server.group_port)):
        if re.fullmatch("[0-9]{1,5}", said) and int(said) <= port < int(said) + 100:
            yield Problem(
                look.context.at("vllm_server_port"),
                f"{look.said('VLLM_PORT')}, and vLLM counts up from there: {name} is {port}",
                f"{look.swift}: the port is gone when the server wants it, after the model was loaded",
                look.unsaid("VLLM_PORT"),
            )


@check("second-job")
def second_job(look: Look) -> Iterator[Problem]:
    """Another job of this project runs on the node and uses one of the ports that this one needs.

    One server serves one learner, and weights are synchronised on one port (51216 unless
    vllm_server_group_port says otherwise; ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184), so a second job
    needs ports of its own.
    """
    for job in look.jobs:
        own_server = (
            look.side == "learner" and job.kind in ("loading", "server") and job.server.port == look.server.port
        )
        shared = {job.server.port, job.server.group_port} & {look.server.port, look.server.group_port}
        if shared and not own_server:
            ports = ", ".join(map(str, sorted(shared)))
            yield Problem(
                look.context.at("vllm_server_port"),
                f"port {ports} is used by {job.named()}",
                f"{look.swift}: Address already in use, or two learners that overwrite each other's weights",
                "wait for that job, or give this preset its own vllm_server_port and vllm_server_group_port",
            )
