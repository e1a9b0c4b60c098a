"""The launch plan of one side, made only of a preset without errors."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from launch.argv.arguments import SWIFT_RLHF
from launch.argv.entry import NEEDS_ENTRY
from launch.argv.plan import learner_plan
from launch.argv.plan import server_plan
from schema import check
from schema.audit import Audit
from schema.colour import is_wanted
from schema.commands.validate import absolute
from schema.errors import InputError
from schema.layouts.preset import Kind
from schema.report import report
from schema.resolve import Workspace
from schema.split.gpus import project_split

if TYPE_CHECKING:
    from launch.argv.plan import Plan
    from launch.options import Request
    from schema.check import Options
    from schema.context import Context
    from schema.findings import Finding
    from schema.split.gpus import Split


def side_context(request: Request, options: Options) -> Context:
    """A preset as the launcher of one side sees it.

    Raises:
        InputError: it cannot be read, or is not a GRPO preset.
    """
    workspace = Workspace()
    preset = check.load(workspace, absolute(request.config))
    if preset.kind is not Kind.GRPO:
        raise check.no_grpo(preset)
    if preset.layout == "script":
        message = "is a script, which starts its sides itself; `migrate-config --write` makes presets of it"
        raise InputError(message, preset.start)
    context = check.context(workspace, preset, options)
    return replace(context, split=_known_split(context, request.side))


def plan(context: Context, request: Request, options: Options) -> tuple[Plan | None, list[Finding]]:
    """The plan of one side, or None if the preset has errors; and the findings.

    Raises:
        InputError: the preset has no such side, or entry is not the name of a module.
    """
    found = Audit(context.workspace, options).findings(context)
    if any(finding.is_error for finding in found):
        return None, found
    if request.side == "server":
        return server_plan(context, request.gpus), found
    module = request.entry or context.preset.project.settings.entry
    if module in (None, SWIFT_RLHF):
        needed = NEEDS_ENTRY.findings(context) if NEEDS_ENTRY.can_tell(context) else []
        return learner_plan(context, request.gpus), [*found, *needed]
    return learner_plan(context, request.gpus, module), found


def show(findings: list[Finding]) -> None:
    """Prints findings on standard error: standard output belongs to the plan, or to the started program."""
    if findings:
        print(report(findings, "text", coloured=is_wanted("auto", sys.stderr)), file=sys.stderr)


def _known_split(context: Context, side: str) -> Split:
    """The split as far as a launcher knows it: its own side.

    A server's launcher also takes the learner's GPUs from the project, if the server's GPUs are as many as the
    project says: any other number is another split. A learner's launcher asks the running server instead.
    """
    split = context.split
    if side != "server":
        return split._replace(rollout=None)
    project = project_split(context.preset.project, context.preset).rollout
    is_projects = split.rollout is not None and split.rollout.count == project
    return split if is_projects else split._replace(train=None)
