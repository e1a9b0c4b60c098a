"""Prints the launch plan of one side, once the preset and, if asked, the machine are fit for it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from schema.check import context
from schema.check import findings
from schema.check import load
from schema.check import no_grpo
from schema.commands.validate import absolute
from schema.exits import Exit
from schema.launch import preflight
from schema.launch.plans import learner_plan
from schema.launch.plans import server_plan
from schema.preset import Kind
from schema.report import REPORTERS
from schema.resolve import Workspace
from schema.split import refuse_overlap

if TYPE_CHECKING:
    from pathlib import Path

    from schema.check import Options
    from schema.findings import Finding
    from schema.launch.plan import Plan
    from schema.rules import Context
    from schema.split import Split


def launch(  # noqa: PLR0913 - one argument for each option that the command line has
    file: Path,
    options: Options,
    side: str,
    *,
    entry: str | None,
    machine: bool,
    wait: float,
    launcher: int,
    shown: bool,
) -> Exit:
    """Prints a plan.

    Args:
        file: the preset.
        options: the split and the target.
        side: server or learner.
        entry: a training repository's module for the learner, or None for ms-swift's own.
        machine: whether to check this machine too.
        wait: seconds that the learner's check waits for the server.
        launcher: process id of the calling launcher.
        shown: whether to print the command for a person, instead of NUL-separated words for a script.

    Raises:
        InputError: the preset cannot be read, is no GRPO preset, or has no such side.
    """
    about = _context(file, options, side)
    found = findings(about)
    if any(finding.is_error for finding in found):
        return _refuse(found)
    plan = server_plan(about, launcher) if side == "server" else learner_plan(about, entry)
    if machine and (found := _machine(about, plan, side, wait)):
        return _refuse(found)
    _print(plan, shown=shown)
    return Exit.OK


def _context(file: Path, options: Options, side: str) -> Context:
    refuse_overlap(options.rollout, options.train)
    workspace = Workspace()
    preset = load(workspace, absolute(file))
    if preset.kind is not Kind.GRPO:
        raise no_grpo(preset)
    about = context(workspace, preset, options)
    return replace(about, split=_known(about, options, side))


def _known(about: Context, options: Options, side: str) -> Split:
    """The split as far as a launcher knows it, which is told its own side only.

    The other side is what the project says where the server's GPUs are as many as the project says, too: any
    other number is another split. A learner asks the running server instead.
    """
    split = about.split
    if side == "learner":
        return split._replace(rollout=options.rollout)
    project = about.preset.project.settings.rollout_gpus
    if options.train is None and (split.rollout is None or split.rollout.count != project):
        return split._replace(train=None)
    return split


def _machine(about: Context, plan: Plan, side: str, wait: float) -> list[Finding]:
    if side == "server":
        return list(preflight.server_findings(about, plan))
    if about.preset.mode != "server":
        return []
    return preflight.learner_findings(about, plan, wait)


def _refuse(found: list[Finding]) -> Exit:
    print(REPORTERS["text"](found), file=sys.stderr)
    return Exit.FINDINGS


def _print(plan: Plan, *, shown: bool) -> None:
    if shown:
        print(plan.shown())
    else:
        sys.stdout.write("".join(f"{word}\0" for word in plan.words()))
