"""Every command of the README and of the pages that promise it is run, and prints what they show."""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from html import unescape
from importlib import import_module
from pathlib import Path

import click
import pytest

from launch.cli import main as rollout_split
from migrate.cli import main as migrate_config
from schema.cli import main as validate_config
from tests.docs.project import lay_out

ROOT = Path(__file__).parents[2]
#: The pictures of a terminal.
SCREENS = [each for each in import_module("docs.screens").SCREENS if "svg" not in each.command]
MAINS = {"validate-config": validate_config, "migrate-config": migrate_config, "rollout-split": rollout_split}
PAGES = [
    "README.md",
    "docs/tutorial.md",
    "docs/recipes.md",
    "docs/validating.md",
    "docs/migrating.md",
    "docs/planning.md",
]
CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
NAMED = r"(?:validate-config|migrate-config|rollout-split) [^`]*\.(?:yaml|sh)\b[^`]*"
INLINE = re.compile(rf"`({NAMED}|rollout-split report latest)`")
#: What only an installed package or a shell can run: `make package` does.
ELSEWHERE = ("pipx install", "uv tool install")


def blocks(text):
    """The commands of a page in order, each with the lines that follow it."""
    for block in CONSOLE.findall(text):
        head, *commands = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not head, f"a block without a command: {block}"
        for command in commands:
            line, _, shown = command.partition("\n")
            yield line.split("  #")[0].strip(), shown


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The presets of the pages, a checkpoint of which only config.json is there, and a run that ended."""
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)


def run(line):
    """What a command prints and its exit code; a start prints its command."""
    name, *words = shlex.split(line)
    if words[0] in ("server", "learner", "train") and "--dry-run" not in words:
        words.append("--dry-run")
    out = io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            MAINS[name](words, prog_name=name)
        except SystemExit as end:
            code = end.code
    return out.getvalue(), code


def is_shown(shown, printed):
    """Whether the lines that a page shows were printed in this order; "..." stands for any text."""
    parts = [re.escape(part.strip()) for part in shown.split("...")]
    return re.search(".*".join(parts), printed, re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_blocks_print_what_the_page_shows(page, project):
    ran, mine = 0, "configs/train/grpo/mine.yaml"
    if mine in (ROOT / page).read_text():
        shutil.copy(Path(__file__).with_name("mine.yaml"), mine)
    if page == "docs/planning.md":
        shutil.copytree(ROOT / "configs", "configs", dirs_exist_ok=True)
    for line, shown in blocks((ROOT / page).read_text()):
        if line.startswith("make "):
            subprocess.run(["make", "-n", *line.split()[1:]], cwd=ROOT, check=True, capture_output=True)
            continue
        if line.startswith(ELSEWHERE):
            continue
        printed, code = run(line)
        assert code in (0, 1), f"{line}: {printed}"
        assert is_shown(shown, printed), f"{line} printed:\n{printed}"
        if line.startswith("validate-config") and not shown.strip():
            assert (printed, code) == ("", 0)
        ran += 1
    assert ran


def test_commands_of_the_table_run(project):
    lines = INLINE.findall((ROOT / "README.md").read_text())
    assert len(lines) >= 8
    for line in lines:
        printed, code = run(line)
        assert (code, line) == (0, line), printed


def test_the_heart_of_the_demo_is_what_it_prints(project):
    text = (ROOT / "README.md").read_text()
    presets = "configs/train/grpo/summary_1024.yaml configs/train/grpo/summary_1024_attr_key_recall.yaml"
    printed = run(f"migrate-config {presets}")[0]
    printed += run(f"migrate-config --write {presets}")[0]
    for side, gpus in (("server", "0-5"), ("learner", "6,7")):
        printed += run(f"rollout-split {side} {presets.split(maxsplit=1)[0]} --gpus {gpus} --dry-run")[0]
    for shown in re.findall(r"^```(?:diff|text)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        assert is_shown(shown, printed), shown


def test_make_and_the_install_are_in_the_readme():
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") < 150
    assert all(f"`{line}`" in text or f"$ {line}" in text for line in ("make demo", "make test"))


def test_the_figures_of_the_picture_are_those_of_the_runs():
    drawn = re.findall(r">(\d+\.\d) (s|GiB)<", (ROOT / "docs/pictures/split.svg").read_text())
    told = (ROOT / "docs/gpu-runs.md").read_text()
    assert len(drawn) >= 14
    assert [f"{number} {unit}" for number, unit in drawn if f"{number} {unit}" not in told] == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda each: each.name)
def test_pictures_show_what_is_printed(screen, project):
    image = (ROOT / f"docs/pictures/{screen.name}.svg").read_text()
    if "mine.yaml" in screen.command:
        shutil.copy(Path(__file__).with_name("mine.yaml"), "configs/train/grpo/mine.yaml")
    if screen.before:
        run(screen.before)
    printed = click.unstyle(run(screen.command)[0]).replace(f"{ROOT}/", "")
    drawn = re.findall(r"<text[^>]*>([^<]+)</text>", image)
    words = [unescape(text).replace("\xa0", " ").strip() for text in drawn]
    assert len(words) > 5
    assert [text for text in words[1:] if text not in printed and text != "..."] == []


LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES[1:]])
def test_links_lead_to_a_file(page):
    file = ROOT / page
    assert [link for link in LINK.findall(file.read_text()) if not (file.parent / link).exists()] == []
