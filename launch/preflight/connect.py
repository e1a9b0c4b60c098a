"""Checks of the server that a learner is about to train against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.argv.facts import Difference
from launch.argv.facts import differences
from launch.machine import processes
from launch.preflight.base import CONNECT
from launch.preflight.base import check
from schema.rules.base import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import ServerStatus
    from launch.preflight.base import Snapshot

#: The most differences that one message lists.
_SHOWN = 3


@check("server-not-ready", sides=(CONNECT,))
def server_not_ready(snapshot: Snapshot) -> Iterator[Problem]:
    """No rollout server became ready in time.

    The learner itself would wait for vllm_server_timeout and then raise "Servers not reachable" (ms-swift 4.5.2,
    rlhf_trainers/vllm_client.py:109), after it was loaded.
    """
    status = snapshot.server_status
    if status is None or status.problem is None:
        return
    timeout, hang = "ConnectionError: Servers not reachable", "the learner would connect, and then hang or fail"
    yield Problem(
        snapshot.context.at("vllm_server_port"),
        f"no rollout server is ready on port {snapshot.server.port}: {status.problem}",
        f"{snapshot.swift}: {timeout if status.world_size is None else hang}",
        _fix(status),
    )


def _fix(status: ServerStatus) -> str:
    if status.job is not None:
        return "restart that server, unless another learner uses it"
    if status.owners:
        return "stop what holds the port, or give the preset another port; then run `rollout-split server`"
    return "run `rollout-split server` first, or raise --wait-timeout if it is still loading"


@check("unknown-server", sides=(CONNECT,))
def unknown_server(snapshot: Snapshot) -> Iterator[Problem]:
    """Something answers `/health/` on the server's port, but no launcher on this node started it.

    ms-swift does not check which server it is: it would send its weights to a stale server, to one of another
    preset, or to another program (4.5.2, rlhf_trainers/vllm_client.py: it reads `/health/` and `/get_world_size/`
    only).
    """
    status = snapshot.server_status
    if status is None or status.problem or snapshot.trusted:
        return
    holder = processes.descriptions(status.owners)
    if status.job is None:
        message = f"no launcher on this node started what answers on port {snapshot.server.port}: {holder}"
    elif status.job.pid not in status.owners:
        message = f"{holder} holds port {snapshot.server.port}, and not {status.job.description()}"
    else:
        return
    address = f"{snapshot.server.host}:{snapshot.server.port}"
    yield Problem(
        snapshot.context.at("vllm_server_port"),
        message,
        f"{snapshot.swift}: the learner would train against it, whatever it is",
        f"run `rollout-split server`, or pass --trust-server {address} to accept it as it is",
    )


@check("another-server", sides=(CONNECT,))
def another_server(snapshot: Snapshot) -> Iterator[Problem]:
    """The server belongs to another preset, or was started before this preset was changed.

    A setting of the server's command line or environment, or the world size that it answers, differs from the
    preset. ms-swift has no endpoint that names the model (4.5.2, pipelines/infer/rollout.py:574).
    """
    status = snapshot.server_status
    if status is None or (status.problem and status.world_size is None):
        return
    if status.job and not snapshot.trusted and (found := list(differences(status.job.server, snapshot.server))):
        revert = found[0].revert if len(found) == 1 else ""
        yield _mismatch(snapshot, found, f"{revert}stop the server of launcher {status.job.launcher}")
    elif status.world_size != snapshot.server.world_size:
        sizes = Difference("world size", str(status.world_size), str(snapshot.server.world_size))
        yield _mismatch(snapshot, [sizes], "stop that server")


def _mismatch(snapshot: Snapshot, found: list[Difference], fix: str) -> Problem:
    more = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    name = found[0].name
    return Problem(
        snapshot.context.at(name)
        if name in snapshot.context.preset.arguments
        else snapshot.context.at_server(name),
        f"the server on port {snapshot.server.port} does not match this preset:"
        f" {'; '.join(map(str, found[:_SHOWN]))}{more}",
        "the learner would train against a stale server, or one of another preset",
        f"{fix}, and start the one of this preset",
    )
