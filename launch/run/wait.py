"""Waits: until an ended run has released what a start needs, and until the server of a learner is ready."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from launch import preflight
from launch import state
from launch.machine import tcp
from launch.preflight import ServerStatus
from launch.run.server import probeable
from launch.run.server import stuck

if TYPE_CHECKING:
    from launch.run.start import Start
    from launch.state import Job
    from schema.findings import Finding

#: Seconds between two checks of the machine; between two of the server, and between two messages about it.
RELEASE_POLL, POLL, REMIND = 1.0, 0.5, 10.0


def until_released(start: Start) -> list[Finding]:
    """The findings about a start, once none will pass by itself any more, or the time for that is up.

    A script starts one run after another, before the ended one has released its GPUs and its port.
    """
    started = time.monotonic()
    announced = False
    while True:
        snapshot = replace(start.snapshot(), waited=time.monotonic() - started)
        found = preflight.findings(snapshot, start.request.allow)
        transient = preflight.transient(snapshot, found)
        remaining = start.request.release_wait - snapshot.waited
        if not transient or remaining <= 0:
            return found
        if not announced:
            start.report(
                f"waiting for at most {start.request.release_wait:g} s until an ended run releases"
                f" {', '.join(transient)}"
            )
            announced = True
        time.sleep(min(RELEASE_POLL, remaining))


def for_server(start: Start, timeout: float) -> ServerStatus:
    """Waits until a server is ready, or clearly will not be; for `timeout` seconds at most."""
    started = time.monotonic()
    last_reminder = started - REMIND
    loading: Job | None = None
    while True:
        status, loading = _poll(start, loading)
        now = time.monotonic()
        if status is not None:
            return status
        if now - started >= timeout:
            return _timed_out(start, loading, timeout)
        if now - last_reminder >= REMIND:
            last_reminder = now
            start.report(
                f"waiting for {start.server.url('/health/')} ({now - started:.0f} s): {_status(start, loading)}"
            )
        time.sleep(min(POLL, timeout))


def _timed_out(start: Start, loading: Job | None, timeout: float) -> ServerStatus:
    port = start.server.port
    owners = () if loading else tuple(tcp.owners(port))
    waited = f"waited {timeout:g} seconds; {_status(start, loading)}"
    return ServerStatus(waited, state.job("server", port), owners=owners)


def _poll(start: Start, previous: Job | None) -> tuple[ServerStatus | None, Job | None]:
    """The server's status once that is clear, and the loading server; `previous` was loading at the last check."""
    port = start.server.port
    # In this order, because a server that becomes ready writes its new note before it removes the old one.
    loading, job = state.job("loading", port), state.job("server", port)
    if (job is not None or loading is None) and start.server.healthy():
        return ServerStatus(
            _generation_problem(start, job), job, start.server.world_size(), tuple(tcp.owners(port))
        ), loading
    if previous is not None and loading is None and job is None:
        return ServerStatus(f"its launcher, process {previous.launcher}, has ended; see {previous.log}"), None
    return None, loading


def _generation_problem(start: Start, job: Job | None) -> str | None:
    """Why the server that answers `/health/` cannot generate, or None."""
    is_unknown = job is None and start.request.trust_server is None
    if is_unknown or state.job("learner", start.server.port) is not None:
        return None
    if job is not None:
        return stuck(start)
    error = start.server.generation_error() if probeable(start) else None
    return f"what answers /health/ generates nothing: {error}" if error else None


def _status(start: Start, loading: Job | None) -> str:
    if loading is not None:
        return f"it is loading, see {loading.log}"
    port = start.server.port
    if state.job("server", port) is None and tcp.listeners(port):
        return f"the port is held by {tcp.holders(port)}, which does not answer /health/"
    if state.job("server", port) is None:
        return "nobody has started it"
    if state.job("learner", port) is not None:
        return "it does not answer, as a server does while it generates for another learner"
    return (
        "it does not answer, and no learner uses it: it still generates for a learner that has ended, or waits for"
        " it; if that lasts, restart the server"
    )
