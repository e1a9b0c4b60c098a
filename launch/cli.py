"""rollout-split: the command line of both sides; it only reads arguments, `launch.start` does the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

import click

from launch import values
from launch.options import LOGS
from launch.options import RELEASE_WAIT
from launch.options import WAIT_TIMEOUT
from launch.options import Request
from schema.exits import Guarded

Function: TypeAlias = Callable[..., int]
Decorator: TypeAlias = Callable[[Function], Function]

_SIDE: tuple[Decorator, ...] = (
    click.argument("config", type=values.path),
    click.option(
        "--gpus",
        type=values.gpus,
        metavar="LIST",
        required=True,
        help="GPUs of this side, such as 0-5 or 6,7: TP x DP for the server, one for each process of the learner.",
    ),
    click.option("--dry-run", is_flag=True, help="Print the command and start nothing."),
    click.option(
        "--swift",
        type=values.text,
        metavar="PATH",
        help="The `swift` whose environment is to run. Default: what is on PATH.",
    ),
    click.option("--python", type=values.text, metavar="PATH", help="The interpreter of the environment to run."),
)
_LEARNS: tuple[Decorator, ...] = (
    click.option(
        "--entry",
        type=values.text,
        metavar="MODULE",
        help="Run `MODULE --config CONFIG` of a training repository, not ms-swift. Default: entry of"
        " [tool.rollout-split] in the project's pyproject.toml.",
    ),
)
_WATCHED: tuple[Decorator, ...] = (
    click.option(
        "--preflight-only", is_flag=True, help="Check preset and machine, print all findings, start nothing."
    ),
    click.option(
        "--release-wait",
        type=values.seconds,
        default=RELEASE_WAIT,
        show_default=True,
        help="How long an ended run may take to give back its GPUs' memory, and the server's port.",
    ),
    click.option(
        "--allow",
        type=values.ids,
        metavar="ID[,ID]",
        default="",
        help="Let these findings of the machine only warn; `rollout-split explain all` lists them.",
    ),
    click.option(
        "--logs",
        type=values.path,
        metavar="DIR",
        default=LOGS,
        show_default=True,
        help="Where each start gets a folder.",
    ),
    click.option(
        "--show",
        type=click.Choice(["live", "quiet"]),
        default="live",
        show_default=True,
        help="Whether the output of what is started is shown, too.",
    ),
)
_WAITS: tuple[Decorator, ...] = (
    click.option(
        "--wait-timeout",
        type=values.seconds,
        default=WAIT_TIMEOUT,
        show_default=True,
        help="How long to wait for the server.",
    ),
    click.option(
        "--trust-server",
        type=values.address,
        metavar="HOST:PORT",
        help="Take a server that `rollout-split server` did not start on this node; nothing tells its model.",
    ),
    click.option(
        "--health-check/--no-health-check",
        default=True,
        help="Whether to look at the machine and at the server, before and meanwhile.",
    ),
    click.option(
        "--weights-check/--no-weights-check",
        default=True,
        help="Whether to compare the server's answers before and after.",
    ),
)

_STATUS = """\b
Exit status:
  0    {well}
  1    refused: {refused}
  2    wrong usage, or something cannot be read (preset), written (logs, notes)
       or run ({program})
  3    a defect of rollout-split
{own}
  129, 130, 131, 143   ended by SIGHUP, SIGINT, SIGQUIT, SIGTERM
  otherwise the {side}'s own, which may be 1 or 3, too; 128 + N where signal N
  killed it
"""
_SERVER_STATUS = _STATUS.format(
    well="--preflight-only or --dry-run, and no finding forbids the start",
    refused="the preset has errors, or the machine is not fit",
    program="swift",
    own="""\
  81   the server came up on another port, or another process took its port
       while it loaded
  82   the server answers /health/, but has another world size, or generates
       nothing
  83   an engine of the server died""",
    side="server",
)
_LEARNER_STATUS = _STATUS.format(
    well="the learner ended well; or --dry-run or --preflight-only, and no\n       finding forbids the start",
    refused="the preset has errors, the machine is not fit, or there is no\n       right server in time",
    program="torchrun",
    own="""\
  84   the rollout server died while the learner trained
  85   the rollout server failed to load weights, which ms-swift only logs
  86   the learner finished, but the server's weights never changed
  87   completions of async_generate failed, and the learner waited for them all
       the same""",
    side="learner",
)
_TRAIN_STATUS = """\b
Exit status:
  1  the preset has errors
  2  wrong usage, or the preset cannot be read, or torchrun cannot be run
  3  a defect of rollout-split
  otherwise torchrun's own
"""


class Commands(Guarded, click.Group):
    """The group: each of its commands ends as the other two programs do."""

    command_class = Guarded

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order of use."""
        return list(self.commands)


def _takes(*options: Decorator) -> Decorator:
    """One decorator of many, in the order in which the help shows them."""
    return lambda function: reduce(lambda made, option: option(made), reversed(options), function)


def _start(ctx: click.Context) -> int:
    from launch.start import start  # the help waits for nothing that only a start needs

    return start(Request(str(ctx.command.name), **ctx.params))


@click.group(cls=Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rollout-split")
def main() -> None:
    """Start the two sides of a split GRPO job: the server in one shell, then the learner in another."""


@main.command(epilog=_SERVER_STATUS)
@_takes(*_SIDE, *_WATCHED)
@click.pass_context
def server(ctx: click.Context, /, **_: object) -> int:
    """Start the rollout server of a server-mode preset, and watch it.

    It starts once the preset is valid and this machine is fit for it, loads for minutes, and runs until it is
    stopped. A line says when it is ready.

    Ctrl-C, SIGTERM, SIGHUP and a closed terminal end the server with all its engines. What has not ended after
    ROLLOUT_SPLIT_GRACE seconds (default 40), or when Ctrl-C is pressed again, is killed. ROLLOUT_SPLIT_API_KEY
    guards the server's routes (ms-swift 4.6).
    """
    return _start(ctx)


@main.command(epilog=_LEARNER_STATUS)
@_takes(*_SIDE, *_LEARNS, *_WAITS, *_WATCHED)
@click.pass_context
def learner(ctx: click.Context, /, **_: object) -> int:
    """Start the learner of a server-mode preset, and watch both sides.

    It waits for what `rollout-split server` has started, checks that it is the right server, and runs what
    `rollout-split train` runs. If the server dies or fails to load weights, the learner is ended. The server
    runs on when the learner ends.

    Ctrl-C, SIGTERM, SIGHUP and a closed terminal end all learner processes. What has not ended after
    ROLLOUT_SPLIT_GRACE seconds (default 40; torchrun gives its workers 30), or when Ctrl-C is pressed again, is
    killed. ROLLOUT_SPLIT_API_KEY opens a guarded server.
    """
    return _start(ctx)


@main.command(epilog=_TRAIN_STATUS)
@_takes(*_SIDE, *_LEARNS)
@click.pass_context
def train(ctx: click.Context, /, **_: object) -> int:
    """Run the learner of a preset, in either mode; nothing is watched.

    Becomes `torchrun` on ms-swift's RLHF entry point, with the arguments that the preset means for so many GPUs.
    It looks at no server; `rollout-split learner` does, and then runs the same.
    """
    return _start(ctx)


@main.command()
@click.argument("name", metavar="ID|all", type=values.text)
def explain(name: str) -> int:
    """Explain a rule or a check of the machine; `all` lists them."""
    from launch.argv.entry import NEEDS_ENTRY
    from launch.preflight import CHECKS
    from schema.commands import describe
    from schema.explained import Topic
    from schema.explained import topics

    checks = {NEEDS_ENTRY.id: Topic.of(NEEDS_ENTRY)} | {each.id: Topic.of(each) for each in CHECKS.values()}
    return describe.explain(name, topics() | {"Checks of the machine": checks})
