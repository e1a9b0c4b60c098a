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

    from launch.preflight.base import Snapshot

#: Seconds in which a process on the port may show that it is a server; the start is refused anyway.
GLANCE = 0.5


def _unreleased(snapshot: Snapshot) -> Iterator[str]:
    if not tcp.bindable(snapshot.server.port) and tcp.lingers(snapshot.server.port):
        yield f"port {snapshot.server.port} (connections in TIME_WAIT)"


@check("port-taken", sides=("server",), transient=_unreleased)
def port_taken(snapshot: Snapshot) -> Iterator[Problem]:
    """A listener, a server that answers, or connections in TIME_WAIT hold the server's port.

    ms-swift would silently move to the next free port, and the learner would connect to whatever holds this
    one (4.5.2, arguments/deploy_args.py:57 and utils/utils.py:299 find_free_port; seen on real GPUs). It binds
    without SO_REUSEADDR, so connections that a server closed less than a minute ago hold the port, too. A start
    waits until these have passed, for at most `--release-wait` seconds.
    """
    port = snapshot.server.port
    if tcp.bindable(port):
        return
    fix = f"stop it, or change {snapshot.context.preset.path('vllm_server_port')} from {port} to a free port"
    if tcp.lingers(port):
        holder = "connections in TIME_WAIT, which a server leaves for a minute after its end"
        fix = "start again in a minute"
    elif Server(snapshot.server.host, port).healthy(GLANCE):
        holder = f"a server that answers /health/: {tcp.holders(port)}"
    else:
        holder = tcp.holders(port)
    yield Problem(
        snapshot.context.at("vllm_server_port"),
        f"port {port} is held by {holder}",
        f"{snapshot.swift}: the server would silently move to port {port + 1}, and the learner would connect to"
        f" whatever holds {port}",
        fix,
    )


@check("group-port-taken")
def group_port_taken(snapshot: Snapshot) -> Iterator[Problem]:
    """Something other than the server holds the port on which weights are synchronised.

    The server opens it on its host once the learner connects (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184;
    51216 unless vllm_server_group_port says otherwise), and raises "Address already in use" after both sides were
    loaded.
    """
    port = snapshot.server.group_port
    if snapshot.trusted or tcp.bindable(port, reuse=True) or _is_held_by_server(snapshot, port):
        return
    yield Problem(
        snapshot.context.at("vllm_server_group_port"),
        f"group port {port} is held by {tcp.holders(port)}",
        f"{snapshot.swift}: both sides hang or fail once the learner connects: Address already in use",
        f"stop what holds it, or set {snapshot.context.preset.path('vllm_server_group_port')} to a free port",
    )


def _is_held_by_server(snapshot: Snapshot, port: int) -> bool:
    # After a learner was killed its server keeps the port open, and closes it when the next learner connects.
    groups = {
        job.group for job in snapshot.jobs if job.kind == "server" and job.server.port == snapshot.server.port
    }
    held = [process for pid in tcp.owners(port) if (process := processes.read(pid)) is not None]
    return any(process.group in groups for process in held)


@check("engine-port-clash", sides=("server",))
def engine_port_clash(snapshot: Snapshot) -> Iterator[Problem]:
    """VLLM_PORT is set, and vLLM takes its internal ports from there upwards.

    It would take the server's port (vLLM 0.32.0, utils/network_utils.py:233 _get_open_port), which ms-swift binds
    only after the model is loaded ("[Errno 98] error while attempting to bind", exit code 3).
    """
    value = snapshot.environment.get("VLLM_PORT", "")
    for name, port in (
        ("the server's port", snapshot.server.port),
        ("the group port", snapshot.server.group_port),
    ):
        if re.fullmatch("[0-9]{1,5}", value) and int(value) <= port < int(value) + 100:
            yield Problem(
                snapshot.context.at("vllm_server_port"),
                f"{snapshot.describe_variable('VLLM_PORT')}, and vLLM takes the ports above it: {name} is {port}",
                f"{snapshot.swift}: vLLM takes the port before the server binds it, after the model was loaded",
                snapshot.unset_advice("VLLM_PORT"),
            )


@check("second-job")
def second_job(snapshot: Snapshot) -> Iterator[Problem]:
    """Another job of this project runs on the node, and uses one of the ports that this job needs.

    One server serves one learner, and weights are synchronised on one port (51216 unless
    vllm_server_group_port says otherwise; ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184), so a second job
    needs ports of its own.
    """
    for job in snapshot.jobs:
        own_server = (
            snapshot.side == "learner"
            and job.kind in ("loading", "server")
            and job.server.port == snapshot.server.port
        )
        shared = {job.server.port, job.server.group_port} & {snapshot.server.port, snapshot.server.group_port}
        if shared and not own_server:
            ports = ", ".join(map(str, sorted(shared)))
            yield Problem(
                snapshot.context.at("vllm_server_port"),
                f"port {ports} is used by {job.description()}",
                f"{snapshot.swift}: Address already in use, or two learners that overwrite each other's weights",
                "wait for that job, or give this preset its own vllm_server_port and vllm_server_group_port",
            )
