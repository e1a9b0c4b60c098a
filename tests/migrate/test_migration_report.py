"""The report: every change with its kind, both lines, both values, the reason, and the comments that go."""

import json
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from migrate.yamledit.lookup import find
from schema.yamltext import parse
from schema.yamltext import read
from schema.yamltext.comments import comments

CASES = Path(__file__).parent / "cases"
BLOCK = "custom.extra.rollout_server"

PRESET = """\
extends: base.yaml
global_max_length: 9000

rlhf:
  use_vllm: true
  vllm_mode: "colocate"   # shared
  # Half of it.
  vllm_gpu_memory_utilization: 0.45
  # Pictures.
  vllm_limit_mm_per_prompt:
    image: 5    # five
  # The engine sleeps
  # while the learner learns.
  sleep_level: 1    # weights only
"""


@pytest.fixture
def preset(root):
    shutil.copy(CASES / "base.yaml", root)
    (root / "preset.yaml").write_text(PRESET)
    return root / "preset.yaml"


@pytest.fixture
def report(migrate):
    """The JSON report of a call."""
    return lambda *args: json.loads(migrate("--report", "json", *args).out)


def change(kind, key, lines, values, reason, *, to="", comments=(), stayed=()):
    return {
        "file": "preset.yaml",
        "kind": kind,
        "key": key,
        "to": to,
        "old_line": lines[0],
        "new_line": lines[1],
        "old": values[0],
        "new": values[1],
        "reason": reason,
        "comments": list(comments),
        "stayed": list(stayed),
    }


def added(key, line, value, reason):
    return change("added", key, (None, line), (None, value), reason)


READ_BY_SERVER = "in server mode only the rollout server acts on it"


def test_json_lists_every_change(preset, report):
    share, images, lora = "vllm_gpu_memory_utilization", "vllm_limit_mm_per_prompt", "vllm_enable_lora"
    assert report("preset.yaml") == {
        "changes": [
            change(
                "changed", "rlhf.vllm_mode", (6, 6), ("colocate", "server"), "rollouts leave the learner's GPUs"
            ),
            added("rlhf.vllm_server_host", 7, '["127.0.0.1"]', "the learner connects there"),
            added("rlhf.vllm_server_port", 8, "[8080]", "the learner connects there"),
            added("rlhf.vllm_server_timeout", 9, "300", "the learner connects there"),
            added(f"{BLOCK}.vllm_tensor_parallel_size", 13, "1", "the split's value"),
            added(f"{BLOCK}.vllm_data_parallel_size", 14, "6", "the split's value"),
            added(f"{BLOCK}.vllm_max_model_len", 15, "9000", "prompt and completion may have 9000 tokens"),
            change(
                "moved",
                f"rlhf.{share}",
                (8, 17),
                ("0.45", "0.6"),
                f"{READ_BY_SERVER}; the split's value",
                to=f"{BLOCK}.{share}",
                comments=["# Half of it."],
            ),
            change(
                "moved",
                f"rlhf.{images}",
                (10, 19),
                ('{"image": 5}', '{"image": 5}'),
                READ_BY_SERVER,
                to=f"{BLOCK}.{images}",
                comments=["# Pictures.", "# five"],
            ),
            added(f"{BLOCK}.{lora}", 21, "false", "the server gets merged weights"),
            change(
                "removed",
                "rlhf.sleep_level",
                (14, None),
                ("1", None),
                "it acts in colocate mode only",
                comments=["# The engine sleeps", "# while the learner learns.", "# weights only"],
            ),
        ],
        "unchanged": [],
        "look_at": [],
        "stays": [],
        "before": [],
        "warnings": [],
        "written": False,
    }


def test_json_says_what_was_written_and_what_stayed(preset, report):
    assert report("--write", "preset.yaml")["written"] is True
    again = report("--write", "preset.yaml")
    assert (again["changes"], again["unchanged"], again["written"]) == ([], ["preset.yaml"], False)


def test_check_can_report_in_json_too(preset, report, migrate):
    assert report("--check", "preset.yaml") == report("preset.yaml")
    assert migrate("--check", "--report", "json", "preset.yaml").code == 1


@pytest.mark.parametrize("name", sorted(folder.name for folder in CASES.iterdir() if folder.is_dir()))
def test_lines_and_values_are_those_of_the_files(name, root, report):
    shutil.copy(CASES / "base.yaml", root)
    shutil.copytree(CASES / name / "before", root, dirs_exist_ok=True)
    found = report("--write", *(CASES / name / "args").read_text().split())
    for item in found["changes"]:
        for side, key in (("before", item["key"]), ("after", item["to"] or item["key"])):
            kind = {"before": "old", "after": "new"}[side]
            if item[f"{kind}_line"] is None:
                assert item[kind] is None
                continue
            file = CASES / name / side / item["file"]
            entry = find(parse(file, file.read_bytes()), tuple(key.split(".")))
            line = file.read_bytes().decode("utf-8-sig").split("\n")[item[f"{kind}_line"] - 1]
            assert key.rsplit(".", 1)[-1] in line
            assert entry.key.span.line == item[f"{kind}_line"]
            if item[kind] is None:
                assert item["reason"] == "nothing is left in it"
                continue
            assert yaml.safe_load(item[kind]) == parse(file, file.read_bytes()).constructor().data(entry.value)
        assert item["reason"]
    assert {item["file"] for item in found["changes"]}.isdisjoint(found["unchanged"])


def test_every_change_of_the_data_is_in_the_report(preset, report):
    before = flat(yaml.safe_load(preset.read_bytes()))
    found = report("--write", "preset.yaml")["changes"]
    after = flat(yaml.safe_load(preset.read_bytes()))
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    named = {key for item in found for key in (item["key"], item["to"]) if key}
    assert {key for key in changed if not any(key.startswith(name) for name in named)} == set()


def flat(data, path=()):
    if not isinstance(data, dict):
        return {".".join(path): data}
    return {key: value for name, item in data.items() for key, value in flat(item, (*path, name)).items()}


def test_text_report_after_the_diff(preset, migrate):
    out = migrate("preset.yaml").out
    diff, report = out[: out.index("preset.yaml:\n")], out[out.index("preset.yaml:\n") :]
    assert diff.startswith("--- a/preset.yaml\n+++ b/preset.yaml\n@@ ")
    assert '-  vllm_mode: "colocate"   # shared\n' in diff
    assert '+  vllm_mode: "server"   # shared\n' in diff
    assert report.splitlines()[0] == "preset.yaml:"
    assert (
        "  changed  L6            rlhf.vllm_mode: colocate -> server (rollouts leave the learner's GPUs)" in report
    )
    assert "  removed  L14           rlhf.sleep_level: 1 (it acts in colocate mode only)" in report
    assert f"{'':<25}with its comment: # while the learner learns.\n" in report
    assert report.splitlines()[-1] == "preset.yaml: would be migrated (--write does it)"


def test_diff_says_where_there_is_no_final_newline(preset, migrate):
    preset.write_text(PRESET.rstrip("\n"))
    assert "\n\\ No newline at end of file\n" in migrate("preset.yaml").out


def test_files_are_named_as_the_user_named_them(preset, report, root, monkeypatch):
    (root / "sub").mkdir()
    monkeypatch.chdir(root / "sub")
    names = {item["file"] for item in report("../preset.yaml")["changes"]}
    assert names == {str(preset)}


def test_help_names_every_exit_status(migrate):
    out = migrate("--help").out
    assert all(
        text in out for text in ("0  nothing to do, or written", "1  files would change", "2  wrong usage", "3  a")
    )


def test_version(migrate):
    assert ", version " in migrate("--version").out


GOLDEN = [
    folder
    for cases in ("cases", "cases-flat")
    for folder in sorted((Path(__file__).parent / cases).iterdir())
    if folder.is_dir()
]


def comments_of(folder):
    """What the comments of its files say, without their marks: of a block, each line."""
    files = sorted(folder.rglob("*.yaml"))
    found = [comment for file in files for comment in comments(read(file))]
    return Counter(comment.lstrip("# ").rstrip() for comment in found)


def test_no_comment_goes_without_being_named(root, migrate, monkeypatch):
    gone = 0
    for number, case in enumerate(GOLDEN):
        lost = comments_of(case / "before") - comments_of(case / "after")
        if not lost:
            continue
        (root / str(number)).mkdir()
        shutil.copy(Path(__file__).parent / "cases/base.yaml", root / str(number))
        shutil.copytree(case / "before", root / str(number), dirs_exist_ok=True)
        monkeypatch.chdir(root / str(number))
        out = migrate(*shlex.split((case / "args").read_text())).out
        report = "\n".join(line for line in out.splitlines() if not line.startswith(("+", "-", " #")))
        assert [comment for comment in lost if f"# {comment}" not in report] == [], case
        gone += len(lost)
    assert gone > 10
