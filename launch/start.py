"""Starts one side: checks the preset and the machine, then sees it through."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from launch import preflight
from launch import state
from launch.checked import plan
from launch.checked import side_context
from launch.checked import tell
from launch.machine import software
from launch.machine.rollout import KEY_VARIABLE
from launch.machine.rollout import api_key
from launch.run import release
from launch.run import signals
from launch.run import terminal
from launch.run import wait
from launch.run.learner import learn
from launch.run.server import serve
from launch.run.start import Start
from launch.run.start import missing
from launch.run.times import times
from launch.run.voice import Voice
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


def start(request: Request) -> int:
    """Starts one side; returns the exit code.

    Raises:
        InputError: the working directory is gone, the preset cannot be read or has no such side, or a program is
            missing.
    """
    terminal.prepare()
    try:
        signals.catch()
        return _start(request)
    except signals.Stopped as stopped:
        signals.ignore()
        Voice(request.side)(f"ended by {stopped}")
        return 128 + stopped.number


def _start(request: Request) -> int:
    absolute(Path())  # what is started runs in this folder
    tools = toolchain(request)
    versions = software.versions(tools.python) if tools.python else None
    options = _options(request, versions)
    about = side_context(request, options)
    made, found = plan(about, request, options)
    tell(found)
    if made is None:
        return Exit.FINDINGS
    one = Start(request, about, made, tools, versions, _key(about), Voice(request.side), times())
    return _train(one) if request.side == "train" else _watched(one)


def _key(about: Context) -> str | None:
    """The key of the server's routes: this shell's, else the preset's.

    Raises:
        InputError: it cannot be sent, so that a guarded server would never be seen to be ready.
    """
    said, source = api_key(), KEY_VARIABLE
    if said is None and about.server is not None:
        said, source = about.server.config.api_key, "api_key"
    if said and not (said.isascii() and said.isprintable() and said == said.strip()):
        raise InputError(
            f"{source} must be printable ASCII without blanks around it: a header carries nothing else"
        )
    return said or None


def _options(request: Request, versions: Mapping[str, str] | None) -> Options:
    """How to check the preset: for these GPUs, and the catalogued ms-swift nearest to the one that will run."""
    installed = (versions or {}).get("ms-swift")
    return Options(
        rollout=request.gpus if request.side == "server" else None,
        train=request.gpus if request.side != "server" else None,
        swift_version=None if installed is None else catalogue.nearest(installed),
    )


def _train(one: Start) -> int:
    if one.request.dry_run:
        return _dry(one)
    one.replace()
    return Exit.INTERNAL


def _watched(one: Start) -> int:
    if one.context.preset.mode != "server":
        raise InputError(f"{one.request.config} is not in server mode; `rollout-split train` runs it")
    one.show_facts()
    if one.request.dry_run:
        return _dry(one)
    return _checked(one)


def _dry(one: Start) -> int:
    print(replace(one.plan, argv=one.argv).shown())
    return Exit.OK


def _checked(one: Start) -> int:
    """Checks the machine; then starts, unless something speaks against it, or no start is wanted."""
    request = one.request
    if unknown := sorted(request.allow - preflight.CHECKS.keys()):
        raise InputError(
            f"--allow names {', '.join(unknown)}; `rollout-split explain all` lists the checks of the machine"
        )
    looks = request.side == "server" or request.health_check
    if not looks and shutil.which(one.argv[0]) is None:
        raise missing(one.argv[0])
    found = release.findings(one) if looks else []
    if any(finding.is_error for finding in found) and not request.preflight_only:
        return _refuse(found)
    if request.side == "learner" and looks:
        found += _connect(one)
    if any(finding.is_error for finding in found):
        return _refuse(found)
    tell(found)
    if request.preflight_only:
        return _fit(one)
    try:
        return serve(one) if request.side == "server" else learn(one)
    except state.ClaimedError as claimed:  # the two came at once, and passed the checks together
        return _refuse(preflight.findings(replace(one.look(), jobs=(claimed.job,))))


def _connect(one: Start) -> list[Finding]:
    """What speaks against the server, once it was waited for; where no start is wanted, it need not run yet."""
    request = one.request
    if request.trust_server is not None:
        _trust(one, request.trust_server)
    seen = wait.for_server(one, 0 if request.preflight_only else request.wait_timeout)
    found = preflight.findings(replace(one.look(preflight.CONNECT), seen=seen), request.allow)
    if request.preflight_only and seen.missing and seen.world_size is None:
        return [each._replace(severity=Severity.WARNING) for each in found]
    return found


def _trust(one: Start, trusted: Address) -> None:
    if trusted != one.server[:2]:
        raise InputError(
            f"--trust-server is {trusted.host}:{trusted.port}, but the preset's server is"
            f" {one.server.host}:{one.server.port}; it says whom to trust, not where to connect"
        )
    one.voice(f"trusting what answers at {one.server.url()}: nothing is known of its model and its settings")


def _fit(one: Start) -> int:
    versions = (
        ", ".join(f"{name} {version}" for name, version in (one.software or {}).items()) or "unknown versions"
    )
    one.voice(f"no finding forbids this start; {one.toolchain.python or one.argv[0]}: {versions}")
    return Exit.OK


def _refuse(found: list[Finding]) -> int:
    tell(found)
    return Exit.FINDINGS
