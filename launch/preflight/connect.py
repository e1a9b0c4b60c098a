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

    from launch.preflight.base import Look
    from launch.preflight.base import Seen

#: Differences that one message tells.
_SHOWN = 3


@check("server-not-ready", sides=(CONNECT,))
def server_not_ready(look: Look) -> Iterator[Problem]:
    """No rollout server became ready in time.

    The learner itself would wait for vllm_server_timeout and then raise "Servers not reachable" (ms-swift 4.5.2,
    rlhf_trainers/vllm_client.py:109), after it was loaded.
    """
    seen = look.seen
    if seen is None or seen.missing is None:
        return
    silent, hangs = "ConnectionError: Servers not reachable", "the learner would connect, and then hang or fail"
    yield Problem(
        look.context.at("vllm_server_port"),
        f"no rollout server is ready on port {look.server.port}: {seen.missing}",
        f"{look.swift}: {silent if seen.world_size is None else hangs}",
        _way_out(seen),
    )


def _way_out(seen: Seen) -> str:
    if seen.job is not None:
        return "stop that server and start it again, unless another learner uses it"
    if seen.owners:
        return "end what holds the port, or give the preset another one; then run `rollout-split server`"
    return "run `rollout-split server` first, or raise --wait-timeout if it is still loading"


@check("unknown-server", sides=(CONNECT,))
def unknown_server(look: Look) -> Iterator[Problem]:
    """Something answers `/health/` on the server's port, and it is not a server that a launcher here vouches for.

    ms-swift asks nobody who he is: it would send its weights to a stale server, to one of another preset, or to
    another program (4.5.2, rlhf_trainers/vllm_client.py: `/health/` and `/get_world_size/` are all it reads).
    """
    seen = look.seen
    if seen is None or seen.missing or look.trusted:
        return
    holder = ", ".join(processes.named(pid) for pid in seen.owners) or "a process of another user"
    if seen.job is None:
        said = f"what answers on port {look.server.port} was not started here: {holder}"
    elif seen.job.pid not in seen.owners:
        said = f"port {look.server.port} is not held by {seen.job.named()}, but by {holder}"
    else:
        return
    address = f"{look.server.host}:{look.server.port}"
    yield Problem(
        look.context.at("vllm_server_port"),
        said,
        f"{look.swift}: the learner would train against it, whatever it is",
        f"run `rollout-split server`; --trust-server {address} takes it as it is",
    )


@check("another-server", sides=(CONNECT,))
def another_server(look: Look) -> Iterator[Problem]:
    """The server is of another preset, or was started before the preset was changed.

    A setting of the server's command line or environment differs, or the world size that it answers; ms-swift has
    no endpoint that tells the model (4.5.2, pipelines/infer/rollout.py:574).
    """
    seen = look.seen
    if seen is None or (seen.missing and seen.world_size is None):
        return
    if seen.job and not look.trusted and (found := list(differences(seen.job.server, look.server))):
        revert = found[0].revert if len(found) == 1 else ""
        yield _mismatch(look, found, f"{revert}stop the server of launcher {seen.job.launcher}")
    elif seen.world_size != look.server.world_size:
        sizes = Difference("world size", str(seen.world_size), str(look.server.world_size))
        yield _mismatch(look, [sizes], "stop that server")


def _mismatch(look: Look, found: list[Difference], fix: str) -> Problem:
    more = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    name = found[0].name
    return Problem(
        look.context.at(name) if name in look.context.preset.arguments else look.context.at_server(name),
        f"the server on port {look.server.port} does not match this preset:"
        f" {'; '.join(map(str, found[:_SHOWN]))}{more}",
        "it is a stale server, or one of another preset: the learner would train against it",
        f"{fix}, and start the one of this preset",
    )
