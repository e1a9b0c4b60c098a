"""validate-config: the command line; it only reads arguments, `schema.commands` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.check import Options
from schema.exits import Guarded
from schema.report import REPORTERS
from schema.split.gpus import parse_gpus
from schema.split.gpus import refuse_overlap

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPILOG = """\b
Exit status:
  0  no errors
  1  errors were found
  2  wrong usage, or a file that cannot be read or is not a GRPO preset
  3  a defect of this tool
"""


class Command(Guarded):
    """validate-config; formats that programs read hold no finding where nothing could be checked."""

    @staticmethod
    def failed(params: Mapping[str, object], error: Exception) -> str | None:  # noqa: ARG004
        """An empty report."""
        return REPORTERS[str(params.get("form"))]([]) if params.get("form") in ("json", "sarif") else None


@click.command(cls=Command, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1)
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
@click.option("--format", "form", type=click.Choice(sorted(REPORTERS)), default="text", show_default=True)
@click.option("--split", "as_table", is_flag=True, help="Print the split and the batch arithmetic as a table.")
@click.option("--json-schema", is_flag=True, help="Print a JSON Schema of nested presets, for editors.")
@click.option("--explain", "rule", metavar="RULE", help="Explain a rule, or list them: --explain all.")
@click.version_option(package_name="rollout-split")
def main(
    files: tuple[str, ...],
    rollout_gpus: str | None,
    train_gpus: str | None,
    swift_version: str | None,
    form: str,
    as_table: bool,
    json_schema: bool,
    rule: str | None,
) -> int:
    """Check ms-swift GRPO presets before you take a GPU.

    Reports every finding of every file: where the value is set, what is wrong, what ms-swift would have done, and
    the smallest fix. It prints nothing when all is well.
    """
    # Each command is imported when it is wanted: a hook that only validates waits for nothing else.
    if rule is not None:
        from schema.commands.describe import explain
        from schema.rules import RULES

        return explain(rule, {"Rules for presets": RULES})
    if json_schema:
        from schema.commands.describe import schema

        return schema()
    if not files:
        raise click.UsageError("name at least one preset")
    options = Options(
        None if rollout_gpus is None else parse_gpus(rollout_gpus),
        None if train_gpus is None else parse_gpus(train_gpus),
        swift_version,
    )
    refuse_overlap(options.rollout, options.train)
    presets = [Path(file) for file in files]
    if as_table:
        from schema.commands.describe import show_split

        return show_split(presets, options)
    from schema.commands.validate import validate

    return validate(presets, options, form)
