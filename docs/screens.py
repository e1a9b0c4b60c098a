"""Takes pictures of what commands print in a terminal, by running them; rich draws them.

A picture whose words are still what its command prints stays as it is.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from shutil import copy
from shutil import copytree
from subprocess import run
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
#: The command of each picture, by its name below docs/pictures.
SCREENS = {"finding": "validate-config configs/train/grpo/mine.yaml", "migration": "migrate-config nested.yaml"}
_COLUMNS = 130
#: Fonts from elsewhere: a page must not ask for them.
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_WORDS = re.compile(r"<text[^>]*>([^<]*)</text>")


def printed(command: str) -> str:
    """What a command prints in colour, in a folder with the presets of the pages."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("tests/presets/colocate", "docs/start"):
            copytree(ROOT / source, folder, dirs_exist_ok=True)
        copy(ROOT / "tests/docs/mine.yaml", folder / "configs/train/grpo")
        variables = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)}
        return run(command.split(), cwd=folder, env=variables, capture_output=True, text=True, check=False).stdout


def drawn(command: str) -> str:
    """A picture of a terminal with a command and what it printed."""
    text = printed(command).replace(str(ROOT), "~/rollout-split").rstrip()
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), color_system="standard")
    console.print(Text(f"$ {command}"))
    console.print(Text.from_ansi(text))
    return _FONTS.sub("", console.export_svg(title="rollout-split", theme=MONOKAI, unique_id="screen"))


def main() -> None:
    """Writes the pictures whose words have changed."""
    for name, command in SCREENS.items():
        file, picture = ROOT / f"docs/pictures/{name}.svg", drawn(command)
        if not file.exists() or _words(file.read_text(encoding="utf-8")) != _words(picture):
            file.write_text(picture, encoding="utf-8")


def _words(picture: str) -> str:
    return "".join("".join(_WORDS.findall(picture)).replace("&#160;", " ").split())


if __name__ == "__main__":
    main()
