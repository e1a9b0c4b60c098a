"""validate-config: the command line; it only reads arguments, `schema.commands` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from schema.check import Options
from schema.colour import COLOUR
from schema.exits import Guarded
from schema.exits import brief
from schema.report import FORMATS
from schema.report import report
from schema.split.gpus import parse_gpus
from schema.split.gpus import refuse_overlap

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPILOG = """\b
Exit status:
  0  no errors
  1  errors were found
  2  wrong usage, or a file that cannot be read or is no GRPO preset
  3  a defect of this tool
"""


class Command(Guarded):
    """validate-config; formats that programs read hold no finding where nothing could be checked."""

    @staticmethod
    def failed(params: Mapping[str, object], error: Exception) -> str | None:
        """A report without findings."""
        if params.get("form") == "json":
            from schema.report.machine import as_json

            return as_json([], error=brief(error))
        return report([], "sarif") if params.get("form") == "sarif" else None


@click.command(cls=Command, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, metavar="PRESET|FOLDER|-...", type=click.Path())
@click.option(
    "--rollout-gpus",
    metavar="LIST|N",
    help="GPUs that roll out: a number, or ids such as 0,1,2. Default: those of the preset's ENV, else of the"
    " project.",
)
@click.option(
    "--train-gpus",
    metavar="LIST|N",
    help="GPUs that learn, one process each (W). Default: those of the preset's ENV; else, in server mode, of the"
    " project, else 2.",
)
@click.option(
    "--swift-version",
    metavar="X",
    help="ms-swift release to check against. Default: the project's, else the installed one, else the newest"
    " catalogued.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@COLOUR
@click.option("--resolved", is_flag=True, help="Print the merged preset, each value with the line that sets it.")
@click.option(
    "--json-schema",
    "subject",
    is_flag=False,
    flag_value="nested",
    type=click.Choice(["nested", "flat", "rollout"]),
    help="Print a JSON Schema for editors: of nested presets (also if you name none), of the YAML of `swift rlhf`"
    " (flat), or of the YAML of `swift rollout`.",
)
@click.option("--explain", "rule", metavar="RULE", help="Explain a rule, and name its page.")
@click.option("--list-rules", "list_them", is_flag=True, help="List the rules, with their severities.")
@click.version_option(package_name="rollout-split")
def main(
    files: tuple[str, ...],
    rollout_gpus: str | None,
    train_gpus: str | None,
    swift_version: str | None,
    form: str,
    colour: str,
    resolved: bool,
    subject: str | None,
    rule: str | None,
    list_them: bool,
) -> int:
    """Check ms-swift GRPO presets, and shell scripts that call `swift rlhf`, before you take a GPU.

    A folder stands for all presets below it, and - for one on standard input.

    Reports every finding of every file: where the value is set, what is wrong, what ms-swift would have done, and
    the smallest fix. It prints nothing when all is well.
    """
    # Each command is imported when it is wanted: a hook that only validates waits for nothing else.
    if rule is not None or list_them:
        from schema.commands.describe import explain
        from schema.explained import topics

        return explain(rule or "all", topics())
    if subject is not None:
        from schema.commands.describe import schema

        return schema(subject, swift_version)
    if not files:
        raise click.UsageError("name at least one preset")
    options = Options(
        None if rollout_gpus is None else parse_gpus(rollout_gpus),
        None if train_gpus is None else parse_gpus(train_gpus),
        swift_version,
    )
    refuse_overlap(options.rollout, options.train)
    if resolved:
        from schema.commands.resolved import show_resolved

        return show_resolved(files)
    from schema.commands.validate import validate

    return validate(files, options, form, colour)
