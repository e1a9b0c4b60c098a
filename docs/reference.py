"""Pages that follow from the code: the commands as click knows them, and one training in both layouts."""

from __future__ import annotations

import os
from inspect import cleandoc
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import click
from click.testing import CliRunner

from launch.cli import main as rollout_split
from migrate.cli import main as migrate_config
from schema.cli import main as validate_config

#: Presets of one training, in each layout.
START = Path(__file__).with_name("start")
COMMANDS = {
    "validate-config": validate_config,
    "migrate-config": migrate_config,
    **{f"rollout-split {name}": command for name, command in rollout_split.commands.items()},
}
_LAYOUTS = """\
# Layouts

A preset has one of two layouts; a shell script is a third form, which becomes a flat pair
([scripts.md](scripts.md)).

| | flat | nested |
| --- | --- | --- |
| what it is | the YAML that `swift rlhf x.yaml` reads | sections, which rollout-split makes arguments of |
| an argument | a key of the file | a key of `model`, `data`, `tuner`, `training`, `rlhf` and others |
| the server's settings | `x.rollout.yaml`, which `swift rollout` reads | a block, `custom.extra.rollout_server` |
| variables | `ENV`, on each side | those of the shell |
| number of GPUs | `ENV`, or `[tool.rollout-split]` | `[tool.rollout-split]`, or options |
| optimizer step | `gradient_accumulation_steps` | the same, or `training.effective_batch_size` |
| another preset as base | no | `extends: base.yaml` |
| starts without rollout-split | yes | no; a training repository may read it itself (`--entry`) |

A file is flat if no section of the nested layout except `deepspeed` is a mapping in it. The examples below are one
training, `docs/start`.
"""
_PAGE = """## Colocate mode

{colocate}
## Server mode, 6 + 2

What `migrate-config --write flat.yaml nested.yaml` makes of them:

{server}"""
_BESIDE = """<table markdown>
<tr markdown>
<td markdown>

{left}
</td>
<td markdown>

{right}
</td>
</tr>
</table>
"""


def commands() -> str:
    """The page of the commands."""
    return "\n".join(["# Commands\n", *(_command(name, command) for name, command in COMMANDS.items())])


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    rows = [_row(each, context) for each in command.params if isinstance(each, click.Option)]
    table = ["| option | what it does |\n| --- | --- |", *rows, ""] if rows else []
    epilog = (command.epilog or "").replace("\b", "").strip()
    status = [f"```text\n{epilog}\n```\n"] if epilog else []
    text = cleandoc(command.help or "").replace("\b\n", "")
    return "\n".join([f"## {name}\n", f"```text\n{usage}\n```\n", f"{text}\n", *table, *status])


def _row(option: click.Option, context: click.Context) -> str:
    names, text = (_cell(part) for part in option.get_help_record(context) or ("", ""))
    return f"| `{names}` | {text} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def layouts() -> str:
    """The page of the layouts: the same training in each, in both modes."""
    flat, nested = "flat.yaml", "nested.yaml"
    with TemporaryDirectory() as folder:
        copytree(START, folder, dirs_exist_ok=True)
        colocate = _beside(_yaml(folder, flat), _yaml(folder, nested))
        _migrate(folder, flat, nested)
        server = _beside(_yaml(folder, flat, "flat.rollout.yaml"), _yaml(folder, nested))
    return f"{_LAYOUTS}\n{_PAGE.format(colocate=colocate, server=server)}"


def _beside(left: str, right: str) -> str:
    return _BESIDE.format(left=left, right=right)


def _yaml(folder: str, *names: str) -> str:
    texts = [(name, (Path(folder) / name).read_text(encoding="utf-8")) for name in names]
    return "\n".join(f"`{name}`\n\n```yaml\n{text}```\n" for name, text in texts)


def _migrate(folder: str, *presets: str) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        ran = CliRunner().invoke(migrate_config, ["--write", *presets])
    finally:
        os.chdir(here)
    if ran.exit_code:
        raise RuntimeError(ran.output)
