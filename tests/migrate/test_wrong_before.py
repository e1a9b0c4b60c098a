"""What is wrong before does not stop a migration: cases-wrong-before/NAME/before, `args` for the call.

`told.txt` has a line for each finding that is reported: its place in the file as it is, and its rule.
"""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from schema.cli import main as validate_config
from tests.migrate.golden import words

CASES = Path(__file__).parent / "cases-wrong-before"
NAMES = sorted(folder.name for folder in CASES.iterdir())
LAST = "validate-config and the launchers will refuse {} until they are fixed"


@pytest.fixture
def case(request, root):
    """The folder of a case, whose files lie in the current folder."""
    shutil.copy(CASES.with_name("cases") / "base.yaml", root)
    shutil.copytree(CASES / request.param / "before", root, dirs_exist_ok=True)
    return CASES / request.param


def presets(case):
    return [word for word in words(case) if word.endswith(".yaml")]


def findings(case):
    """The errors that validate-config finds, and what belongs to them."""
    version = words(case)[: -len(presets(case))] if "--swift-version" in words(case) else []
    ran = CliRunner().invoke(validate_config, [*version, "--format", "json", *presets(case)])
    found = json.loads(ran.stdout)["findings"]
    kept = [each for each in found if each["severity"] == "error" or each["rule"] == "another-release"]
    return sorted(kept, key=place)


def place(found):
    return found["file"], found["line"], found["column"], found["rule"]


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_it_is_told_once_where_it_stands(case, migrate):
    ran = migrate("--report", "json", *words(case))
    before = json.loads(ran.out)["before"]
    told = (case / "told.txt").read_text().splitlines()
    assert (ran.code, [f"{each['file']}:{each['line']} {each['rule']}" for each in before]) == (1, told)
    assert all(each in findings(case) for each in before)
    text = migrate(*words(case)).out
    assert [text.count(f"[{each['rule']}] {each['message']}\n") for each in before] == [1] * len(before)


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_what_is_told_of_the_written_files_is_all_that_is_left(case, migrate):
    assert json.loads(migrate("--write", "--report", "json", *words(case)).out)["before"] == findings(case)


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_the_last_line_says_that_something_is_left(case, migrate):
    ran = migrate("--write", *words(case))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == LAST.format(", ".join(presets(case)))
    again = migrate("--write", *words(case))
    assert (again.code, set(again.out.splitlines())) == (0, {f"{name}: nothing to do" for name in files(case)})


def files(case):
    pairs = [Path(name).with_suffix(".rollout.yaml") for name in presets(case)]
    return [*presets(case), *(str(path) for path in pairs if path.exists())]


def test_below_another_folder_it_is_told_of_the_files_there(root, migrate):
    for folder in (root, root / "out"):
        folder.mkdir(exist_ok=True)
        shutil.copy(CASES.with_name("cases") / "base.yaml", folder)
    shutil.copy(CASES / "another-release/before/preset.yaml", root)
    ran = migrate("--write", "--output-dir", "out", "preset.yaml")
    left = CliRunner().invoke(validate_config, ["out/preset.yaml"]).stdout
    assert "out/preset.yaml:" in left
    assert left in ran.out
    assert ran.out.splitlines()[-1] == LAST.format("out/preset.yaml")


def test_new_errors_refuse_and_old_ones_are_not_among_them(root, migrate):
    shutil.copy(CASES.with_name("cases") / "base.yaml", root)
    (root / "preset.yaml").write_text(
        "extends: base.yaml\nglobal_max_length: 4096\ntuner: {train_type: lora}\n"
        "rlhf: {use_vllm: true, vllm_mode: colocate, vllm_server_group_port: [8080]}\n"
    )
    ran = migrate("preset.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "[group-port]" in ran.err
    assert "train_type" not in ran.err


def test_numbers_of_the_split_that_is_asked_for_are_new(root, migrate):
    # Before, nobody has said that two learners are to be three.
    shutil.copy(CASES.with_name("cases") / "base.yaml", root)
    (root / "preset.yaml").write_text(
        "extends: base.yaml\nglobal_max_length: 4096\nrlhf: {use_vllm: true, vllm_mode: colocate}\n"
    )
    assert migrate("--check", "preset.yaml").code == 1
    assert migrate("--check", "--train-gpus", "3", "preset.yaml").code == 2


def test_a_release_that_is_not_catalogued_is_refused(root, migrate):
    shutil.copytree(CASES / "flat-another-release/before", root, dirs_exist_ok=True)
    assert "9.9.9 is not catalogued; the nearest" in migrate("--swift-version", "9.9.9", "x.yaml").err
    assert json.loads(migrate("--swift-version", "3.12.6", "--report", "json", "x.yaml").out)["before"] == []
