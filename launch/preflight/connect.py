"""Checks of the server that a learner is about to train against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.argv.plan import whereabouts
from launch.machine import processes
from launch.preflight.base import CONNECT
from launch.preflight.base import check
from schema.rules.base import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Look
    from launch.preflight.base import Seen


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
        f"no rollout server is ready on port {look.port}: {seen.missing}",
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
        said = f"what answers on port {look.port} was not started here: {holder}"
    elif seen.job.pid not in seen.owners:
        said = f"port {look.port} is not held by {seen.job.named()}, but by {holder}"
    else:
        return
    address = f"{look.plan.facts['host']}:{look.port}"
    yield Problem(
        look.context.at("vllm_server_port"),
        said,
        f"{look.swift}: the learner would train against it, whatever it is",
        f"run `rollout-split server`; --trust-server {address} takes it as it is",
    )


@check("another-server", sides=(CONNECT,))
def another_server(look: Look) -> Iterator[Problem]:
    """The server is of another preset, or was started before the preset was changed.

    World size, model, or the digest of the server's whole command line differ; ms-swift has no endpoint that
    tells the model (4.5.2, pipelines/infer/rollout.py:574).
    """
    seen = look.seen
    if seen is None or (seen.missing and seen.world_size is None):
        return
    facts, job = look.plan.facts, seen.job
    wanted, model = int(facts["world_size"]), whereabouts(facts["model"])
    if seen.world_size != wanted:
        said = f"the server on port {look.port} has world size {seen.world_size}, but this preset means {wanted}"
    elif job is not None and not look.trusted and job.model != model:
        said = f"the server on port {look.port} serves {job.model}, but this preset trains {model}"
    elif job is not None and not look.trusted and job.digest != facts["digest"]:
        said = f"the server on port {look.port} was started with other settings: {job.named()}"
    else:
        return
    yield Problem(
        look.context.at_server("vllm_data_parallel_size"),
        said,
        "it is a stale server, or one of another preset: the learner would train against it",
        "stop that server, and start the one of this preset",
    )
