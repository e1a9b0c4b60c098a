"""The presets that this project ships are what migrate-config makes of their colocate originals."""

import difflib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from schema.cli import main as validate_config

REPO = Path(__file__).parents[2]
SHIPPED = REPO / "configs"
ORIGINALS = REPO / "tests/presets/colocate/configs"
PARENT, CHILD = "configs/train/grpo/summary_1024.yaml", "configs/train/grpo/summary_1024_attr_key_recall.yaml"
UNTOUCHED = ("base.yaml", "train/grpo/summary_2048.yaml", "train/grpo/dense_2048.yaml")


@pytest.fixture
def colocate(root):
    shutil.copytree(ORIGINALS, root / "configs")
    return root


def shipped(name):
    return (REPO / name).read_bytes()


def original(name):
    return (ORIGINALS.parent / name).read_bytes()


def test_both_in_one_call_become_the_shipped_files_and_no_other_file_is_touched(colocate, files, migrate):
    before = files()
    assert migrate("--write", CHILD, PARENT).code == 0
    after = files()
    assert after[PARENT][0] == shipped(PARENT)
    assert after[CHILD][0] == shipped(CHILD)
    del before[PARENT], before[CHILD], after[PARENT], after[CHILD]
    assert after == before


@pytest.mark.parametrize("name", UNTOUCHED)
def test_presets_that_stay_as_they_are_are_the_same_on_both_sides(name):
    assert (SHIPPED / name).read_bytes() == (ORIGINALS / name).read_bytes()


def test_the_results_pass_validate_config(colocate, migrate):
    migrate("--write", PARENT, CHILD)
    checked = CliRunner().invoke(validate_config, [PARENT, CHILD])
    assert (checked.exit_code, checked.output) == (0, "")


def test_the_second_call_has_nothing_to_do(colocate, files, migrate):
    migrate("--write", PARENT, CHILD)
    before = files()
    again = migrate("--write", PARENT, CHILD)
    assert (again.code, again.out.count("nothing to do"), again.err) == (0, 2, "")
    assert files() == before


def test_a_diff_is_shown_that_git_apply_turns_into_the_result(colocate, files, migrate):
    before = files()
    shown = migrate(PARENT, CHILD)
    assert shown.code == 1
    assert files() == before
    subprocess.run(["git", "apply", "-"], input=shown.out, cwd=colocate, check=True, text=True)
    assert (colocate / PARENT).read_bytes() == shipped(PARENT)
    assert (colocate / CHILD).read_bytes() == shipped(CHILD)


def test_check_names_the_files_that_would_change(colocate, files, migrate):
    before = files()
    said = f"{PARENT}: would be migrated\n{CHILD}: would be migrated\n"
    assert migrate("--check", PARENT, CHILD) == (1, said, "")
    assert files() == before
    migrate("--write", PARENT, CHILD)
    assert migrate("--check", PARENT, CHILD) == (0, "", "")


def test_output_dir_gets_the_results_and_the_originals_stay(colocate, files, migrate):
    before = files()
    assert migrate("--write", "--output-dir", "configs/train/server", PARENT, CHILD).code == 0
    after = files()
    assert {name: after[name] for name in before} == before
    new = {name: content for name, (content, *_) in after.items() if name not in before}
    assert new == {name.replace("grpo/", "server/"): shipped(name) for name in (PARENT, CHILD)}
    again = migrate("--write", "--output-dir", "configs/train/server", PARENT, CHILD)
    assert again.code == 0


def test_output_dir_is_only_shown_without_write(colocate, files, migrate):
    before = files()
    assert migrate("--output-dir", "configs/train/server", PARENT, CHILD).code == 1
    assert files() == before


def test_output_dir_overwrites_nothing_that_is_something_else(colocate, files, migrate):
    (colocate / "configs/train/server").mkdir()
    there = colocate / "configs/train/server/summary_1024_attr_key_recall.yaml"
    there.write_text("mine: true\n")
    before = files()
    refused = migrate("--write", "--output-dir", "configs/train/server", PARENT, CHILD)
    assert refused.code == 2
    assert f"{there.relative_to(colocate)}:1:1: exists already" in refused.err
    assert files() == before


def test_output_dir_must_reach_the_same_bases(colocate, files, migrate):
    before = files()
    refused = migrate("--write", "--output-dir", "elsewhere", PARENT, CHILD)
    assert refused.code == 2
    assert "would not resolve there" in refused.err
    assert "base.yaml" in refused.err
    assert files() == before


def comments(content):
    return re.findall(r"#.*", content.decode())


@pytest.mark.parametrize("name", [PARENT, CHILD])
def test_every_comment_is_still_there_unless_the_report_names_it(colocate, migrate, name):
    report = json.loads(migrate("--write", "--report", "json", PARENT, CHILD).out)
    changes = [change for change in report["changes"] if change["file"] == name and change["kind"] != "moved"]
    gone = [comment for change in changes for comment in change["comments"]]
    left = comments((colocate / name).read_bytes())
    assert sorted(left + gone) == sorted(comments(original(name)))


def moves(before, after):
    """The lines that went and the lines that came, without their indentation; those that only moved taken out."""
    diff = list(difflib.ndiff(before.decode().splitlines(), after.decode().splitlines()))
    went = [line[2:].strip() for line in diff if line.startswith("- ")]
    came = [line[2:].strip() for line in diff if line.startswith("+ ")]
    for line in list(went):
        if line in came:
            went.remove(line)
            came.remove(line)
    return went, came


def test_only_the_planned_lines_of_the_parent_differ(colocate, migrate):
    migrate("--write", PARENT, CHILD)
    assert moves(original(PARENT), (colocate / PARENT).read_bytes()) == (
        ["vllm_mode: colocate", "vllm_gpu_memory_utilization: 0.5"],
        [
            "extra:",
            "rollout_server:",
            "vllm_tensor_parallel_size: 1",
            "vllm_data_parallel_size: 6",
            "vllm_max_model_len: 8192",
            "vllm_gpu_memory_utilization: 0.6",
            "vllm_mode: server",
            'vllm_server_host: ["127.0.0.1"]',
            "vllm_server_port: [8080]",
            "vllm_server_timeout: 300",
        ],
    )


def test_only_its_own_share_goes_from_the_child(colocate, migrate):
    migrate("--write", PARENT, CHILD)
    went, came = moves(original(CHILD), (colocate / CHILD).read_bytes())
    assert came == []
    assert [line for line in went if not line.startswith("#")] == ["vllm_gpu_memory_utilization: 0.5"]


def test_the_learner_keeps_all_settings_but_the_engine_s(colocate, migrate):
    migrate("--write", PARENT, CHILD)
    before, after = (yaml.safe_load(content) for content in (original(PARENT), (colocate / PARENT).read_bytes()))
    knobs = ("vllm_gpu_memory_utilization", "vllm_enable_prefix_caching", "vllm_enable_lora")
    block = after["custom"].pop("extra")["rollout_server"]
    assert [after["rlhf"].pop(f"vllm_server_{name}") for name in ("host", "port", "timeout")] == [
        ["127.0.0.1"],
        [8080],
        300,
    ]
    assert (before["rlhf"].pop("vllm_mode"), after["rlhf"].pop("vllm_mode")) == ("colocate", "server")
    assert [before["rlhf"].pop(knob) for knob in knobs] == [0.5, True, False]
    assert [block[knob] for knob in knobs] == [0.6, True, False]
    assert after == before


def test_the_way_back_gives_the_original_but_for_the_child_s_own_share(colocate, migrate):
    migrate("--write", PARENT, CHILD)
    migrated = (colocate / CHILD).read_bytes()
    assert migrate("--write", "--to", "colocate", PARENT, CHILD).code == 0
    assert (colocate / PARENT).read_bytes() == original(PARENT)
    assert (colocate / CHILD).read_bytes() == migrated
    migrate("--write", PARENT, CHILD)
    assert (colocate / PARENT).read_bytes() == shipped(PARENT)


def test_the_installed_command_is_this_one(colocate):
    command = Path(sys.executable).with_name("migrate-config")
    ran = subprocess.run([command, "--write", PARENT, CHILD], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (colocate / PARENT).read_bytes() == shipped(PARENT)
