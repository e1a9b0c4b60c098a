"""Starts one side: checks the preset and the machine, then runs the server or the learner."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from launch import checked
from launch import preflight
from launch import state
from launch.machine import software
from launch.machine.rollout import KEY_VARIABLE
from launch.machine.rollout import api_key
from launch.run import signals
from launch.run import terminal
from launch.run import wait
from launch.run.learner import run_learner
from launch.run.reporter import Reporter
from launch.run.server import run_server
from launch.run.start import Start
from launch.run.start import missing
from launch.run.times import times
from launch.toolchain import toolchain
from schema import catalogue
from schema.check import Options
from schema.commands.validate import absolute
from schema.errors import InputError
from schema.exits import Exit
from schema.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launch.options import Request
    from schema.context import Context
    from schema.findings import Finding
    from schema.swift.address import Address


def run(request: Request) -> int:
    """Starts one side; returns the exit code.

    Raises:
        InputError: the working directory is gone, the preset cannot be read or has no such side, or a program is
            not installed.
    """
    terminal.prepare()
    try:
        signals.catch()
        return _run(request)
    except signals.Stopped as stopped:
        signals.ignore()
        Reporter(request.side)(f"ended by {stopped}")
        return 128 + stopped.number


def _run(request: Request) -> int:
    absolute(Path())  # what is started runs in this folder
    tools = toolchain(request)
    versions = software.versions(tools.python) if tools.python else None
    options = _options(request, versions)
    context = checked.side_context(request, options)
    plan, found = checked.plan(context, request, options)
    if plan is None:
        return _refuse(found)
    checked.show(found)
    start = Start(request, context, plan, tools, versions, _key(context), Reporter(request.side), times())
    if request.side != "train":
        start.show_facts()
    if request.dry_run:
        print(replace(plan, argv=start.argv).command_line())
        return Exit.OK
    return start.replace() if request.side == "train" else _check_and_run(start)


def _key(context: Context) -> str | None:
    """The key of the server's routes: this shell's, else the preset's.

    Raises:
        InputError: no HTTP header can carry it, so a guarded server would never answer.
    """
    key, source = api_key(), KEY_VARIABLE
    if key is None and context.server is not None:
        key, source = context.server.config.api_key, "api_key"
    if key and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise InputError(
            f"{source} must be printable ASCII without blanks around it, because HTTP headers carry nothing else"
        )
    return key or None


def _options(request: Request, versions: Mapping[str, str] | None) -> Options:
    """How to check the preset: for these GPUs, and the catalogued ms-swift nearest to the one that will run."""
    installed = (versions or {}).get("ms-swift")
    return Options(
        rollout=request.gpus if request.side == "server" else None,
        train=request.gpus if request.side != "server" else None,
        swift_version=None if installed is None else catalogue.nearest(installed),
    )


def _check_and_run(start: Start) -> int:
    """Checks the machine, then starts, unless a finding forbids it or the operator asked for checks only."""
    request = start.request
    if unknown := sorted(request.allow - preflight.CHECKS.keys()):
        raise InputError(
            f"--allow names unknown checks: {', '.join(unknown)}; `rollout-split explain all` lists all checks"
        )
    checks_machine = request.side == "server" or request.health_check
    if not checks_machine and shutil.which(start.argv[0]) is None:
        raise missing(start.argv[0])
    found = wait.until_released(start) if checks_machine else []
    if any(finding.is_error for finding in found) and not request.preflight_only:
        return _refuse(found)
    if request.side == "learner" and checks_machine:
        found += _check_server(start)
    if any(finding.is_error for finding in found):
        return _refuse(found)
    checked.show(found)
    if request.preflight_only:
        return _report_fit(start)
    try:
        return run_server(start) if request.side == "server" else run_learner(start)
    except state.ClaimedError as claimed:  # two jobs started together, and both passed the checks
        return _refuse(preflight.findings(replace(start.snapshot(), jobs=(claimed.job,))))


def _check_server(start: Start) -> list[Finding]:
    """Findings about the server, after waiting for it; with --preflight-only it need not run yet."""
    request = start.request
    if request.trust_server is not None:
        _check_trust(start, request.trust_server)
    status = wait.for_server(start, 0 if request.preflight_only else request.wait_timeout)
    found = preflight.findings(replace(start.snapshot(preflight.CONNECT), server_status=status), request.allow)
    if request.preflight_only and status.problem and status.world_size is None:
        return [finding._replace(severity=Severity.WARNING) for finding in found]
    return found


def _check_trust(start: Start, trusted: Address) -> None:
    if trusted != start.server[:2]:
        raise InputError(
            f"--trust-server is {trusted.host}:{trusted.port}, but the preset's server is"
            f" {start.server.host}:{start.server.port}; it says which server to trust, not where to connect"
        )
    start.report(f"trusting the server at {start.server.url()}: its model and its settings are not checked")


def _report_fit(start: Start) -> int:
    versions = (
        ", ".join(f"{name} {version}" for name, version in (start.software or {}).items()) or "unknown versions"
    )
    start.report(f"no finding forbids this start; {start.toolchain.python or start.argv[0]}: {versions}")
    return Exit.OK


def _refuse(found: list[Finding]) -> int:
    checked.show(found)
    return Exit.FINDINGS
