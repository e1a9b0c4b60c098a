"""Pictures of what the commands print, as a terminal shows it: docs/pictures/*.svg, made by `make docs`.

python docs/screens.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.docs.project import ROOT
from tests.docs.project import lay_out

_PICTURES = Path(__file__).parent / "pictures"
_SUMMARY = "configs/train/grpo/summary_1024.yaml"
_MINE = "configs/train/grpo/mine.yaml"
_BOTH = f"{_SUMMARY} configs/train/grpo/summary_1024_attr_key_recall.yaml"
#: An image that asks nobody for a font.
_FORM = """\
<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#0c0c0c"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


class Screen(NamedTuple):
    """A picture: its name, the command, what is typed before it, and its first and last line."""

    name: str
    command: str
    before: str = ""
    first: int = 0
    last: int | None = None


SCREENS = (
    Screen("migrate", f"migrate-config --color always {_BOTH}", last=40),
    Screen("finding", f"validate-config --color always {_MINE}"),
    Screen(
        "plan",
        f"rollout-split plan {_SUMMARY} --gpus 8 --gpu-memory 80 --prompt-tokens 2000",
        f"migrate-config --write {_BOTH}",
    ),
    Screen(
        "node",
        f"rollout-split plan {_SUMMARY} --gpus 8 --gpu-memory 80 --prompt-tokens 2000 --format svg",
        f"migrate-config --write {_BOTH}",
    ),
    Screen("report", "rollout-split report dora-8"),
)


def _printed(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        command.split(), cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{command}: {ran.stderr}")
    return ran.stdout.replace(f"{ROOT}/", "")


# Only `make docs` has rich; a test looks at SCREENS.
def _drawn(screen: Screen, printed: str) -> str:
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    lines = printed.splitlines()[screen.first : screen.last]
    shown = screen.command.replace(" --color always", "")
    text = Text.from_ansi("\n".join([f"$ {shown}", *lines, *(["..."] if screen.last else [])]))
    width = max(map(len, text.plain.splitlines()))
    console = Console(record=True, width=width, file=StringIO(), legacy_windows=False)
    console.print(text, soft_wrap=True)
    image: str = console.export_svg(title=shown, theme=MONOKAI, code_format=_FORM, unique_id=screen.name)
    return image


def _image(folder: Path, screen: Screen) -> str:
    if _MINE in screen.command:
        shutil.copy(ROOT / "tests/docs/mine.yaml", folder / _MINE)
    if screen.before:
        _printed(screen.before, folder)
    printed = _printed(screen.command, folder)
    return printed if printed.startswith("<svg") else _drawn(screen, printed)


def main() -> None:
    """Draws all of them."""
    for screen in SCREENS:
        with TemporaryDirectory() as home:
            lay_out(Path(home))
            image = _image(Path(home), screen)
        (_PICTURES / f"{screen.name}.svg").write_text(image, encoding="utf-8")


if __name__ == "__main__":
    main()
