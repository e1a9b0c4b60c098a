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
def test_what_is_no_preset(name, migrate):
    ran = migrate(os.fsdecode(name))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1


def test_a_pipe_keeps_nobody_waiting(root, command, migrate):
    os.mkfifo(root / "pipe.yaml")
    assert command("pipe.yaml").stderr == b"error: pipe.yaml:1:1: is not a regular file\n"
    assert migrate("preset.yaml").code == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"no utf-8 \xff.yaml", b"no utf-8 \\udcff.yaml"),
        ("模 型.yaml".encode(), "模 型.yaml".encode()),
        (b"two\nlines.yaml", b"two\\nlines.yaml"),
    ],
)
def test_any_file_name(name, shown, root, command, migrate):
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_text(PRESET)
    assert migrate(os.fsdecode(name)).code == 1
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


def test_the_current_folder_is_gone(root, command, migrate):
    gone = root / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert command("x.yaml").stderr == b"error: the working directory is gone; change into it again\n"
    assert migrate(root / "preset.yaml").code == 1
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


FOREIGN = {
    "base.yaml": None,
    "part.yaml": "rlhf:\n  vllm_gpu_memory_utilization: 0.45\n",
    "chart.yaml": "{{- if .Values.on }}\ndata: {{ .Values.data }}\n{{- end }}\n",
    "service.yaml": "kind: Service\n---\nkind: Deployment\n",
    "dpo.yaml": "rlhf_type: dpo\nmodel: m\n",
    "fetch.sh": "#!/bin/sh\necho\n",
}


@pytest.fixture
def foreign(root):
    """Files that are no presets by themselves."""
    for name, text in FOREIGN.items():
        if text is not None:
            (root / name).write_text(text)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_hook_passes_over_what_is_no_preset(name, foreign, migrate, monkeypatch):
    assert migrate("--check", name).code == 2
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert migrate("--check", name) == (0, "", "")
    assert json.loads(migrate("--check", "--format", "json", name).out)["changes"] == []
    assert migrate(name).code == 2  # a person's call, whatever starts it


def test_a_hook_still_checks_the_presets_among_other_files(foreign, migrate, monkeypatch, root):
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert migrate("--check", *FOREIGN, "preset.yaml") == (1, "preset.yaml: would be migrated\n", "")
    for broken in ("rlhf: {vllm_mode: colocate\n", "extends: missing.yaml\nrlhf: {rlhf_type: grpo}\n"):
        (root / "broken.yaml").write_text(broken)
        ran = migrate("--check", *FOREIGN, "broken.yaml")
        assert (ran.code, ran.out) == (2, "")
        assert "broken.yaml" in ran.err


def test_a_hook_fixes_parts_of_presets_too(foreign, migrate, monkeypatch, root):
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert migrate("--fix", "--check", *FOREIGN, "preset.yaml") == (0, "", "")
    (root / "child.yaml").write_text("extends: part.yaml\n")
    (root / "part.yaml").write_text("rlhf:\n  vllm_gpu_memory_utilisation: 0.45\n")
    ran = migrate("--fix", "--check", *FOREIGN, "child.yaml")
    assert (ran.code, ran.out) == (1, "part.yaml: would be fixed\n"), ran.err
