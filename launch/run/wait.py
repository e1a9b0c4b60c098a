"""Waits for the server of a learner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from launch import state
from launch.machine import tcp
from launch.preflight import Seen
from launch.run import stuck
from launch.run.server import probeable

if TYPE_CHECKING:
    from launch.run.start import Start
    from launch.state import Job

#: Seconds between two looks, and between two lines about them.
POLL, REMIND = 0.5, 10.0


def for_server(start: Start, timeout: float) -> Seen:
    """Waits until a server is ready, or until it is clear that none comes."""
    begun = time.monotonic()
    reminded = begun - REMIND
    loading: Job | None = None
    while True:
        seen, loading = _look(start, loading)
        now = time.monotonic()
        if seen is not None:
            return seen
        if now - begun >= timeout:
            return _in_vain(start, loading, timeout)
        if now - reminded >= REMIND:
            reminded = now
            start.voice(
                f"waiting for {start.server.url('/health/')} ({now - begun:.0f} s): {_status(start, loading)}"
            )
        time.sleep(min(POLL, timeout))


def _in_vain(start: Start, loading: Job | None, timeout: float) -> Seen:
    port = start.server.port
    owners = () if loading else tuple(tcp.owners(port))
    waited = f"waited {timeout:g} seconds; {_status(start, loading)}"
    return Seen(waited, state.job("server", port), owners=owners)


def _look(start: Start, before: Job | None) -> tuple[Seen | None, Job | None]:
    """What is there, and the server that is loading; `before` is the one that was loading at the last look."""
    port = start.server.port
    # In this order: a server that becomes ready leaves its new note before it takes the old one away.
    loading, job = state.job("loading", port), state.job("server", port)
    if (job is not None or loading is None) and start.server.healthy():
        return Seen(_idle(start, job), job, start.server.world_size(), tuple(tcp.owners(port))), loading
    if before is not None and loading is None and job is None:
        return Seen(f"its launcher, process {before.launcher}, has ended; see {before.log}"), None
    return None, loading


def _idle(start: Start, job: Job | None) -> str | None:
    """Why what answers `/health/` is of no use: nothing is generated."""
    unknown = job is None and start.request.trust_server is None
    if unknown or state.job("learner", start.server.port) is not None:
        return None
    if job is not None:
        return stuck.told(start)
    refusal = start.server.refusal() if probeable(start) else None
    return f"what answers /health/ generates nothing: {refusal}" if refusal else None


def _status(start: Start, loading: Job | None) -> str:
    if loading is not None:
        return f"it is loading, see {loading.log}"
    port = start.server.port
    if state.job("server", port) is None and tcp.listeners(port):
        return f"the port is held by {tcp.holders(port)}, which does not answer /health/"
    if state.job("server", port) is None:
        return "nobody has started it"
    if state.job("learner", port) is not None:
        return "it does not answer, which is how a server behaves that generates for another learner"
    return (
        "it does not answer, and no learner uses it: it still generates for one that has ended, or waits for it;"
        " if that lasts, restart the server"
    )
