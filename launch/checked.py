"""The launch plan of one side, once the preset is fit for it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from launch.argv.arguments import SWIFT_RLHF
from launch.argv.entry import NEEDS_ENTRY
from launch.argv.plans import learner_plan
from launch.argv.plans import server_plan
from schema.audit import Audit
from schema.check import context
from schema.check import load
from schema.check import no_grpo
from schema.colour import is_wanted
from schema.commands.validate import absolute
from schema.layouts.preset import Kind
from schema.report import text
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
        InputError: it cannot be read, or is no GRPO preset.
    """
    workspace = Workspace()
    preset = load(workspace, absolute(request.config))
    if preset.kind is not Kind.GRPO:
        raise no_grpo(preset)
    about = context(workspace, preset, options)
    return replace(about, split=_known(about, request.side))


def plan(about: Context, request: Request, options: Options) -> tuple[Plan | None, list[Finding]]:
    """The plan of one side, or None if the preset has errors; and what was found.

    Raises:
        InputError: the preset has no such side, or entry is no module's name.
    """
    found = Audit(about.workspace, options).findings(about)
    if any(finding.is_error for finding in found):
        return None, found
    if request.side == "server":
        return server_plan(about, request.gpus), found
    module = request.entry or about.preset.project.settings.entry
    if module in (None, SWIFT_RLHF):
        return learner_plan(about, request.gpus), [*found, *NEEDS_ENTRY.findings(about)]
    return learner_plan(about, request.gpus, module), found


def tell(found: list[Finding]) -> None:
    """Prints findings on standard error: standard output is the plan's, or the program's that is started."""
    if found:
        print(text(found, coloured=is_wanted("auto", sys.stderr)), file=sys.stderr)


def _known(about: Context, side: str) -> Split:
    """The split as far as a launcher knows it: its own side.

    The other side is what the project says where the server's GPUs are as many as the project says, too: any
    other number is another split. A learner asks the running server instead.
    """
    split = about.split
    if side != "server":
        return split._replace(rollout=None)
    project = project_split(about.preset.project, about.preset).rollout
    known = split.rollout is not None and split.rollout.count == project
    return split if known else split._replace(train=None)
