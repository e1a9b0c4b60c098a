"""migrate-config: the command line; it only reads arguments, `migrate.commands` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click
from click.core import ParameterSource

from migrate.beside import check_suffix
from migrate.commands import Request
from migrate.commands import failure
from migrate.commands import migrate
from migrate.nested.directions import DIRECTIONS
from migrate.target import DEFAULT_HOST
from migrate.target import DEFAULT_PORT
from migrate.target import DEFAULT_TIMEOUT
from migrate.target import Bases
from migrate.target import Target
from schema.colour import COLOUR
from schema.commands.validate import absolute
from schema.exits import Exit
from schema.exits import Guarded
from schema.split.decide import SHARED_SHARE
from schema.split.gpus import MAX_GPUS

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPILOG = """\b
Exit status:
  0  nothing to do, or written
  1  files would change (without --write)
  2  wrong usage, unreadable input, or refused; no file changed, unless the message says so
  3  a defect of this tool; nothing was written
"""


class Command(Guarded):
    """migrate-config; whatever ends a call, its JSON report is JSON."""

    @staticmethod
    def failed(params: Mapping[str, object], error: Exception) -> str | None:
        """The report of a call that changes nothing."""
        return failure(error) if params.get("report") == "json" else None


#: Options that say nothing to --fix.
_OF_MIGRATIONS = (
    *("to", "suffix", "mask_bases", "tensor_parallel", "max_model_len", "gpu_memory_utilization"),
    *("host", "port", "timeout"),
)


def _refuse_beside_fix() -> None:
    context = click.get_current_context()
    for name in _OF_MIGRATIONS:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--fix and --{name.replace('_', '-')} exclude each other")


@click.command(cls=Command, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("presets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(list(DIRECTIONS)),
    default="server",
    show_default=True,
    help="vllm_mode of the result.",
)
@click.option("--fix", is_flag=True, help="Do not migrate: fix findings that a program can fix.")
@click.option("--write", is_flag=True, help="Write the files: all, or none. Default: print a diff and a report.")
@click.option("--check", is_flag=True, help="Only say which files would change.")
@click.option("--output-dir", type=click.Path(path_type=Path, file_okay=False), help="With --write: write there.")
@click.option(
    "--suffix",
    metavar="TEXT",
    help="Migrate copies beside the files, with TEXT appended to their names (_server: x_server.yaml).",
)
@click.option(
    "--format",
    "--report",
    "report",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@COLOUR
@click.option(
    "--swift-version",
    metavar="X",
    help="ms-swift release to check for. Default: the project's, else the installed one, else the newest"
    " catalogued.",
)
@click.option("--include-bases", is_flag=True, help="Migrate the bases of the named presets, too.")
@click.option("--mask-bases", is_flag=True, help="Leave the bases as they are: override their settings with null.")
@click.option(
    "--rollout-gpus", type=click.IntRange(1, MAX_GPUS), help="GPUs that roll out. Default: the project's, else 6."
)
@click.option(
    "--train-gpus",
    type=click.IntRange(1, MAX_GPUS),
    help="GPUs that learn; in colocate mode all GPUs. Default: the preset's number, else the project's, else 2"
    " beside a server, and all GPUs in colocate mode.",
)
@click.option(
    "--tensor-parallel",
    type=click.IntRange(min=1),
    help="GPUs per engine (TP). Default: the engine's present value, else 1.",
)
@click.option(
    "--max-model-len",
    type=click.IntRange(min=1),
    help="Tokens per sequence. Default: the present value, unless a prompt alone can fill it; else what prompt and"
    " completion need, or 8192 if the preset limits neither.",
)
@click.option(
    "--gpu-memory-utilization",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of a GPU's memory for the engine. Default: 0.6 on a server; back in colocate mode the server's"
    f" value, but at most {SHARED_SHARE}.",
)
@click.option("--host", help=f"Loopback name of the server. Default: {DEFAULT_HOST}.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"Port of the server. Default: {DEFAULT_PORT}.")
@click.option("--timeout", type=click.IntRange(min=1), help=f"Seconds to connect. Default: {DEFAULT_TIMEOUT}.")
@click.version_option(package_name="rollout-split")
def main(
    presets: tuple[Path, ...],
    fix: bool,
    write: bool,
    check: bool,
    output_dir: Path | None,
    suffix: str | None,
    report: str,
    colour: str,
    include_bases: bool,
    mask_bases: bool,
    **wanted: Any,  # noqa: ANN401 - the other options are Target's attributes
) -> Exit:
    """Move ms-swift GRPO presets from vLLM colocate mode to server mode, or back.

    Name a preset together with the presets that it extends, or pass --include-bases or --mask-bases. Presets that
    are not named keep their meaning. A flat preset, for `swift rlhf x.yaml`, gets its server's settings in
    x.rollout.yaml beside it, and batch numbers that keep the global batch. A shell script, x.sh, stays as it is:
    the pair is written beside it, and the report lists what else the script does.

    Errors that a preset has already are reported, and do not stop the migration; an error that the migration
    would cause does.

    An option overrides what the preset says, also if the preset is in that mode already: this is how you split a
    preset again. Numbers that depend on the option follow, and the report says so.

    Only the lines that must change are changed. A comment moves or goes with the key that it is about; no comment
    goes without being named. The report lists what was removed, and comments that may be false now. A call writes
    all files or none; if it is killed, the next call with --write puts the files back.

    With --fix, the presets stay in their mode, and findings are fixed: an old name, or a misspelt one that can
    only mean one setting, becomes the right one; a value becomes a list where ms-swift takes a list; and a setting
    without any effect goes. validate-config says which findings --fix can fix, and the report lists what is left.
    """
    if fix:
        _refuse_beside_fix()
    if write and check:
        raise click.UsageError("--write and --check exclude each other")
    if include_bases and mask_bases:
        raise click.UsageError("--include-bases and --mask-bases exclude each other")
    if suffix is not None:
        if output_dir is not None:
            raise click.UsageError("--suffix and --output-dir exclude each other")
        check_suffix(suffix)
    bases = Bases.INCLUDE if include_bases else Bases.MASK if mask_bases else Bases.REFUSE
    request = Request(fix, write, check, absolute(output_dir) if output_dir else None, suffix, report, colour)
    return migrate([absolute(preset) for preset in presets], Target(bases=bases, **wanted), request)
