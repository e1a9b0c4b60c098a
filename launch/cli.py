"""rollout-split: the command line of both sides; it only reads arguments, and `launch.start` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import click

from launch import values
from launch.options import LOGS
from launch.options import RELEASE_WAIT
from launch.options import WAIT_TIMEOUT
from launch.options import Request
from schema.exits import Guarded
from schema.printable import printable
from schema.secrets import starred

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LOGS: dict[str, Any] = {"type": values.path, "metavar": "DIR", "default": LOGS, "show_default": True}
_FORM: dict[str, Any] = {"type": click.Choice(["text", "json", "svg"]), "default": "text", "show_default": True}
_SIDE_OPTIONS = (
    click.Argument(["config"], type=values.path),
    click.Option(
        ["--gpus"],
        type=values.gpus,
        metavar="LIST",
        required=True,
        help="GPUs of this side, such as 0-5 or 6,7: TP x DP for the server, one per process for the learner.",
    ),
    click.Option(["--dry-run"], is_flag=True, help="Print the command, and start nothing."),
    click.Option(
        ["--swift"],
        type=values.text,
        metavar="PATH",
        help="The `swift` whose Python environment runs this side. Default: the one on PATH.",
    ),
    click.Option(
        ["--python"],
        type=values.text,
        metavar="PATH",
        help="The interpreter of the Python environment that runs this side.",
    ),
)
_LEARNER_OPTIONS = (
    click.Option(
        ["--entry"],
        type=values.text,
        metavar="MODULE",
        help="Run `MODULE --config CONFIG` of a training repository, not ms-swift. Default: entry of"
        " [tool.rollout-split] in the project's pyproject.toml.",
    ),
)
_WATCH_OPTIONS = (
    click.Option(
        ["--preflight-only"],
        is_flag=True,
        help="Check the preset and the machine, print all findings, and start nothing.",
    ),
    click.Option(
        ["--release-wait"],
        type=values.seconds,
        default=RELEASE_WAIT,
        show_default=True,
        help="Seconds to wait until an ended run has released the memory of its GPUs and its port.",
    ),
    click.Option(
        ["--allow"],
        type=values.ids,
        metavar="ID[,ID]",
        default="",
        help="Treat these findings about the machine as warnings; `rollout-split explain all` lists them.",
    ),
    click.Option(["--logs"], **_LOGS, help="The folder in which each start makes a folder of its own."),
    click.Option(
        ["--show"],
        type=click.Choice(["live", "quiet"]),
        default="live",
        show_default=True,
        help="Whether the terminal shows the output of the started program, too.",
    ),
)
_WAIT_OPTIONS = (
    click.Option(
        ["--wait-timeout"],
        type=values.seconds,
        default=WAIT_TIMEOUT,
        show_default=True,
        help="Seconds to wait for the server.",
    ),
    click.Option(
        ["--trust-server"],
        type=values.address,
        metavar="HOST:PORT",
        help="Accept a server that `rollout-split server` did not start on this node; nobody checks its model.",
    ),
    click.Option(
        ["--health-check/--no-health-check"],
        default=True,
        help="Whether to check the machine and the server, before training and during it.",
    ),
    click.Option(
        ["--weights-check/--no-weights-check"],
        default=True,
        help="Whether to compare the server's answers before training and after it.",
    ),
)

_STATUS = """\b
Exit status:
  0    {success}
  1    refused: {refused}
  2    wrong usage; or the launcher cannot read the preset, write logs or notes,
       or run {program}
  3    a defect of rollout-split
{codes}
  129, 130, 131, 143   SIGHUP, SIGINT, SIGQUIT or SIGTERM ended the launcher
  otherwise the {side}'s own exit code, which may be 1 or 3, too; 128 + N if
  signal N killed it
"""
_SERVER_STATUS = _STATUS.format(
    success="--preflight-only or --dry-run, and no finding forbids the start",
    refused="the preset has errors, or the machine is not fit",
    program="swift",
    codes="""\
  81   the server came up on another port, or another process took its port
       while it loaded
  82   the server answers /health/, but has another world size, or generates
       nothing
  83   an engine of the server died""",
    side="server",
)
_LEARNER_STATUS = _STATUS.format(
    success="the learner ended well; or --dry-run or --preflight-only, and no\n       finding forbids the start",
    refused="the preset has errors, the machine is not fit, or the right\n       server is not ready in time",
    program="torchrun",
    codes="""\
  84   the rollout server died while the learner trained
  85   the rollout server failed to load weights, which ms-swift only logs
  86   the learner finished, but the server's weights never changed
  87   completions of async_generate failed, and the learner went on waiting for
       them""",
    side="learner",
)
_TRAIN_STATUS = """\b
Exit status:
  1  the preset has errors
  2  wrong usage, or the launcher cannot read the preset or run torchrun
  3  a defect of rollout-split
  otherwise torchrun's own exit code
"""


_READ_STATUS = """\b
Exit status:
  0  what was asked is printed
  2  wrong usage, or what is named cannot be read
  3  a defect of rollout-split
"""


class Commands(Guarded, click.Group):
    """The group: its commands end with the exit codes of the other two programs."""

    command_class = Guarded

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of the commands, in the order of use."""
        return list(self.commands)


def _shown(lines: Iterable[str]) -> int:
    for line in lines:
        print(printable(starred(line)))
    return 0


def _start(ctx: click.Context) -> int:
    from launch.start import run  # --help need not import what only a start needs

    return run(Request(str(ctx.command.name), **ctx.params))


@click.group(cls=Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rollout-split")
def main() -> None:
    """Start the two sides of a split GRPO job: the server in one shell, then the learner in another."""


@main.command(params=[*_SIDE_OPTIONS, *_WATCH_OPTIONS], epilog=_SERVER_STATUS)
@click.pass_context
def server(ctx: click.Context, /, **_: object) -> int:
    """Start the rollout server of a server-mode preset, and watch it.

    The launcher checks the preset and this machine before it starts the server. The server loads for minutes, and
    runs until you stop it. A line says when it is ready.

    Ctrl-C, SIGTERM, SIGHUP and a closed terminal end the server with all its engines. The launcher kills what has
    not ended after ROLLOUT_SPLIT_GRACE seconds (default 40), or when you press Ctrl-C again.
    ROLLOUT_SPLIT_API_KEY guards the server's routes (ms-swift 4.6).
    """
    return _start(ctx)


@main.command(params=[*_SIDE_OPTIONS, *_LEARNER_OPTIONS, *_WAIT_OPTIONS, *_WATCH_OPTIONS], epilog=_LEARNER_STATUS)
@click.pass_context
def learner(ctx: click.Context, /, **_: object) -> int:
    """Start the learner of a server-mode preset, and watch both sides.

    The launcher waits for the server that `rollout-split server` has started, checks that it is the right one, and
    runs what `rollout-split train` runs. It ends the learner if the server dies or fails to load weights. The
    server runs on when the learner ends.

    Ctrl-C, SIGTERM, SIGHUP and a closed terminal end all learner processes. The launcher kills what has not ended
    after ROLLOUT_SPLIT_GRACE seconds (default 40; torchrun gives its workers 30), or when you press Ctrl-C again.
    ROLLOUT_SPLIT_API_KEY opens a guarded server.
    """
    return _start(ctx)


@main.command(params=[*_SIDE_OPTIONS, *_LEARNER_OPTIONS], epilog=_TRAIN_STATUS)
@click.pass_context
def train(ctx: click.Context, /, **_: object) -> int:
    """Run the learner of a preset, in either mode, and watch nothing.

    The launcher becomes `torchrun` on ms-swift's RLHF entry point, with the preset's arguments for this number of
    GPUs. It checks no server; `rollout-split learner` does, and then runs the same command.
    """
    return _start(ctx)


@main.command(epilog=_READ_STATUS)
@click.argument("folder", metavar="RUN-FOLDER|latest", type=values.text)
@click.option(
    "--server-log",
    type=values.path,
    metavar="FILE",
    help="What the server printed, of a run that no launcher started.",
)
@click.option("--logs", **_LOGS, help="The folder of all starts, in which `latest` is looked for.")
@click.option("--format", "form", **_FORM, help="Form of the report; svg is the drawing of both sides alone.")
def report(folder: str, server_log: Path | None, logs: Path, form: str) -> int:
    """Report where the time of a run went: its parts, both sides side by side, and what would help most.

    RUN-FOLDER is the folder of a learner's start; `latest` is the newest one. All times are those at which the
    launchers read the lines of ms-swift's own output. ms-swift's output folder of a run that no launcher started
    (logging.jsonl) gives a shorter report, which says what is missing.
    """
    from launch.timing import report as reports
    from launch.timing.run import read

    path = logs / "latest-learner" if folder == "latest" else values.path(folder)
    run = read(path, server_log)
    forms = {"text": reports.text, "json": reports.as_json, "svg": reports.svg}
    return _shown(forms[form](run))


@main.command(epilog=_READ_STATUS)
@click.argument("config", type=values.path)
@click.option("--gpus", type=click.IntRange(1, 64), metavar="N", help="GPUs of the node. Default: this machine's.")
@click.option(
    "--gpu-memory",
    type=values.gib,
    metavar="GIB",
    help="Memory of each GPU in GiB, as nvidia-smi tells it. Default: that of this machine's.",
)
@click.option(
    "--prompt-tokens",
    type=click.IntRange(1, 1 << 24),
    metavar="N",
    help="Tokens of a long prompt, with its pictures, for memory and seconds. Default: the preset's limit.",
)
@click.option(
    "--model",
    type=values.path,
    metavar="PATH",
    help="The checkpoint's folder, or a config.json like its own. Default: where the preset says.",
)
@click.option(
    "--runs",
    type=values.path,
    metavar="FOLDER",
    multiple=True,
    help="The folder of a learner's start, whose timings tell seconds; may be repeated.",
)
@click.option(
    "--format",
    "form",
    **_FORM,
    help="Form of the plans; svg draws the node with its memory, and the seconds of the best plans.",
)
def plan(config: Path, runs: tuple[Path, ...], form: str, **node: Any) -> int:  # noqa: ANN401
    """Plan how to divide a node: what fits, and how long a step takes, the best first; nothing is started.

    Every way is listed that keeps the preset's optimizer step and rollout: colocate, and each division of the
    GPUs, with each batch, with async_generate and without. What fits follows from the checkpoint's config.json.
    Seconds are estimated from it, too, and from the GPU's data sheet. The timings of runs of the same work make
    them better; two runs with different batches tell most.
    """
    from launch.planning import command
    from launch.planning import show

    forms = {"text": show.text, "json": show.as_json, "svg": show.svg}
    return _shown(forms[form](command.planned(config, command.Node(**node), runs)))


@main.command()
@click.argument("name", metavar="ID|all", type=values.text)
def explain(name: str) -> int:
    """Explain a rule or a check of the machine, and name its page; `all` lists them."""
    from launch.explained import topics
    from schema.commands import describe

    return describe.explain(name, topics())
