"""Prints the launch plan of one side, once the preset and, if asked, the machine are fit for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from schema.check import context
from schema.check import findings
from schema.check import load
from schema.check import no_grpo
from schema.commands.validate import absolute
from schema.exits import Exit
from schema.launch import preflight
from schema.launch.entry import own_entry_findings
from schema.launch.plans import learner_plan
from schema.launch.plans import server_plan
from schema.preset import Kind
from schema.report import REPORTERS
from schema.resolve import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from schema.check import Options
    from schema.findings import Finding
    from schema.launch.plan import Plan
    from schema.rules import Context
    from schema.split import Split


@dataclass(frozen=True)
class Wish:
    """What a launcher asks for.

    Attributes:
        side: server or learner.
        entry: a training repository's module for the learner, or None for ms-swift's own.
        machine: whether to check this machine too.
        wait: seconds that the learner's check waits for the server.
        launcher: process id of the calling launcher.
        shown: whether to print the command for a person, instead of NUL-separated words for a script.
        quiet: whether to keep warnings back.
    """

    side: str
    entry: str | None
    machine: bool
    wait: float
    launcher: int
    shown: bool
    quiet: bool


def launch(file: Path, options: Options, wish: Wish) -> Exit:
    """Prints a plan on standard output, what speaks against it on standard error.

    Raises:
        InputError: the preset cannot be read, is no GRPO preset, or has no such side.
    """
    about = _context(file, options, wish.side)
    found = findings(about)
    if any(finding.is_error for finding in found):
        return _refuse(found)
    if wish.side == "learner" and wish.entry is None:
        found += own_entry_findings(about)
    if found and not wish.quiet:
        _tell(found)
    plan = server_plan(about, wish.launcher) if wish.side == "server" else learner_plan(about, wish.entry)
    if wish.machine and (found := _machine(about, plan, wish)):
        return _refuse(found)
    _print(plan, shown=wish.shown)
    return Exit.OK


def _context(file: Path, options: Options, side: str) -> Context:
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


def _machine(about: Context, plan: Plan, wish: Wish) -> list[Finding]:
    if wish.side == "server":
        return list(preflight.server_findings(about, plan))
    if about.preset.mode != "server":
        return []
    return preflight.learner_findings(about, plan, wish.wait)


def _refuse(found: list[Finding]) -> Exit:
    _tell(found)
    return Exit.FINDINGS


def _tell(found: list[Finding]) -> None:
    # Standard output is the plan's.
    print(REPORTERS["text"](found), file=sys.stderr)


def _print(plan: Plan, *, shown: bool) -> None:
    if shown:
        print(plan.shown())
    else:
        sys.stdout.write("".join(f"{word}\0" for word in plan.words()))
