"""Prints the launch plan of one side, once the preset is fit for it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from launch.argv.arguments import SWIFT_RLHF
from launch.argv.entry import NEEDS_ENTRY
from launch.argv.plans import learner_plan
from launch.argv.plans import server_plan
from schema.check import context
from schema.check import findings
from schema.check import load
from schema.check import no_grpo
from schema.commands.validate import absolute
from schema.exits import Exit
from schema.layouts.preset import Kind
from schema.report import REPORTERS
from schema.resolve import Workspace
from schema.split.gpus import project_split

if TYPE_CHECKING:
    from pathlib import Path

    from launch.argv.plan import Plan
    from schema.check import Options
    from schema.context import Context
    from schema.findings import Finding
    from schema.split.gpus import Split


@dataclass(frozen=True)
class Asked:
    """Which plan is asked for.

    Attributes:
        side: server or learner.
        entry: a training repository's module for the learner, or None for the project's own, else ms-swift's.
        shown: whether to print the command for a person, instead of NUL-separated words for a script.
        quiet: whether to keep warnings back.
    """

    side: str
    entry: str | None
    shown: bool
    quiet: bool


def print_plan(file: Path, options: Options, asked: Asked) -> Exit:
    """Prints a plan on standard output, what speaks against it on standard error.

    Raises:
        InputError: the preset cannot be read, is no GRPO preset, or has no such side.
    """
    about = side_context(file, options, asked.side)
    made, found = plan(about, asked.side, asked.entry)
    if made is None or not asked.quiet:
        tell(found)
    if made is None:
        return Exit.FINDINGS
    _print(made, shown=asked.shown)
    return Exit.OK


def side_context(file: Path, options: Options, side: str) -> Context:
    """A preset as the launcher of one side sees it.

    Raises:
        InputError: it cannot be read, or is no GRPO preset.
    """
    workspace = Workspace()
    preset = load(workspace, absolute(file))
    if preset.kind is not Kind.GRPO:
        raise no_grpo(preset)
    about = context(workspace, preset, options)
    return replace(about, split=_known(about, options, side))


def plan(about: Context, side: str, entry: str | None) -> tuple[Plan | None, list[Finding]]:
    """The plan of one side, or None if the preset has errors; and what was found.

    Raises:
        InputError: the preset has no such side, or entry is no module's name.
    """
    found = findings(about)
    if any(finding.is_error for finding in found):
        return None, found
    if side == "server":
        return server_plan(about), found
    module = entry or about.preset.project.settings.entry
    if module in (None, SWIFT_RLHF):
        return learner_plan(about), [*found, *NEEDS_ENTRY.findings(about)]
    return learner_plan(about, module), found


def tell(found: list[Finding]) -> None:
    """Prints findings on standard error: standard output is the plan's, or the program's that is started."""
    if found:
        print(REPORTERS["text"](found), file=sys.stderr)


def _known(about: Context, options: Options, side: str) -> Split:
    """The split as far as a launcher knows it: its own side.

    The other side is what the project says where the server's GPUs are as many as the project says, too: any
    other number is another split. A learner asks the running server instead.
    """
    split = about.split
    if side != "server":
        return split._replace(rollout=options.rollout)
    project = project_split(about.preset.project, about.preset).rollout
    if options.train is None and (split.rollout is None or split.rollout.count != project):
        return split._replace(train=None)
    return split


def _print(plan: Plan, *, shown: bool) -> None:
    if shown:
        print(plan.shown())
    else:
        # Words of a script are as they are, to the byte.
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode("".join(f"{word}\0" for word in plan.words())))
