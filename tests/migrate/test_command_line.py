"""How migrate-config ends, whatever it is given and wherever its output goes: a message, never a traceback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
COMMAND = [sys.executable, "-c", "from migrate.cli import main; main()"]
PRESET = "extends: base.yaml\nglobal_max_length: 4096\nrlhf:\n  use_vllm: true\n  vllm_mode: colocate  # 模\n"


@pytest.fixture(autouse=True)
def preset(root):
    """A preset beside base.yaml."""
    shutil.copy(CASES / "base.yaml", root)
    (root / "preset.yaml").write_text(PRESET)


@pytest.fixture
def command():
    """Runs migrate-config in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def command(*args, stdout=subprocess.PIPE, **variables):
        return subprocess.run(
            [*COMMAND, *args],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment | variables,
            timeout=60,
            check=False,
        )

    return command


@pytest.mark.parametrize("name", ["", "-", "x" * 300, "x/" * 3000, "preset.yaml/x", "/dev/null", b"no\xff.yaml"])
def test_what_is_no_preset(name, command):
    ran = command(name)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr.startswith(b"error: ")
    assert ran.stderr.count(b"\n") == 1


def test_a_pipe_keeps_nobody_waiting(root, command):
    os.mkfifo(root / "pipe.yaml")
    assert command("pipe.yaml").stderr == b"error: pipe.yaml:1:1: is not a regular file\n"
    assert command("preset.yaml").returncode == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"no utf-8 \xff.yaml", b"no utf-8 \\udcff.yaml"),
        ("模 型.yaml".encode(), "模 型.yaml".encode()),
        (b"two\nlines.yaml", b"two\\nlines.yaml"),
    ],
)
def test_any_file_name(name, shown, root, command):
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_text(PRESET)
    assert command(name).returncode == 1
    assert command("--write", "--report", "json", name, PYTHONIOENCODING="utf-8:strict").returncode == 0
    assert command(name).stdout == shown + b": nothing to do\n"


def test_characters_that_the_terminal_lacks_are_spelled_out(root, command):
    (root / "模.yaml").write_text(PRESET)
    ran = command("--write", "模.yaml", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.endswith(b"\\u6a21.yaml: written\n")


@pytest.mark.parametrize("write", [True, False])
def test_a_report_that_cannot_be_shown(write, root, command):
    with Path("/dev/full").open("wb") as full:
        ran = command(*["--write"][:write], "preset.yaml", stdout=full)
    what = b"all files are written" if write else b"nothing was written"
    reason = b"error: the report cannot be shown: no space left on device; " + what + b"\n"
    assert (ran.returncode, ran.stderr) == (2, reason)
    assert ("vllm_mode: server" in (root / "preset.yaml").read_text()) is write


def test_the_current_folder_is_gone(root, command):
    gone = root / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert command("x.yaml").stderr == b"error: the working directory is gone; change into it again\n"
    assert command(root / "preset.yaml").returncode == 1
    os.chdir(root)


@pytest.mark.parametrize("write", [["--write"], ["--check"], []])
@pytest.mark.parametrize(
    ("args", "place"),
    [
        (["missing.yaml"], ("missing.yaml", 1, 1)),
        (["base.yaml"], ("base.yaml", 1, 1)),
        (["--max-model-len", "100", "preset.yaml"], ("preset.yaml", 1, 1)),
        (["--host", "example.org", "preset.yaml"], (None, None, None)),
    ],
)
def test_a_refusal_is_json_too(args, place, write, migrate):
    ran = migrate("--report", "json", *write, *args)
    found = json.loads(ran.out)
    error = found.pop("error")
    assert (ran.code, found) == (
        2,
        {
            "changes": [],
            "unchanged": [],
            "look_at": [],
            "before": [],
            "stays": [],
            "warnings": [],
            "written": False,
        },
    )
    assert (error["file"], error["line"], error["column"]) == place
    assert error["message"] in ran.err


@pytest.mark.parametrize("share", ["nan", "0", "1.5"])
def test_a_share_that_is_none(share, migrate):
    ran = migrate("--gpu-memory-utilization", share, "preset.yaml")
    assert (ran.code, ran.out) == (2, "")
