"""Pairs before and after: cases-flat/NAME/{before,after}, `args` for the call, `report.txt` for what it says."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from schema.cli import main as validate_config
from tests.migrate.golden import warnings
from tests.migrate.golden import words

CASES = Path(__file__).parent / "cases-flat"
NAMES = sorted(folder.name for folder in CASES.iterdir())


@pytest.fixture
def case(request, root):
    """The folder of a case, whose files lie in the current folder."""
    shutil.copytree(CASES / request.param / "before", root, dirs_exist_ok=True)
    return CASES / request.param


def content(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.yaml")}


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_case(case, root, files, migrate):
    before, wanted = files(), content(case / "after")
    changes = wanted != content(case / "before")
    assert (migrate(*words(case)).code, files()) == (int(changes), before)
    assert (migrate("--check", *words(case)).code, files()) == (int(changes), before)

    written = migrate("--write", *words(case))
    assert (written.code, written.err, content(root)) == (0, warnings(case), wanted)
    if (case / "report.txt").exists():
        assert written.out == (case / "report.txt").read_text()
    again = migrate("--write", *words(case))
    assert (again.code, content(root)) == (0, wanted)
    assert set(again.out.splitlines()) == {f"{name}: nothing to do" for name in wanted}


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_result_is_valid_as_a_pair(case, migrate):
    migrate("--write", *[word for word in words(case) if word != "x.rollout.yaml"] or ["x.rollout.yaml"])
    split = words(case)[words(case).index("--rollout-gpus") :][:4] if "--rollout-gpus" in words(case) else []
    checked = CliRunner().invoke(validate_config, ["x.yaml", *split])
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_output_dir_gets_both_files(root, migrate):
    shutil.copytree(CASES / "whole/before", root, dirs_exist_ok=True)
    before = content(root)
    assert migrate("--write", "--output-dir", "out", "x.yaml").code == 0
    assert (content(root), content(root / "out")) == (before, content(CASES / "whole/after"))


def test_diff_of_a_new_file_can_be_applied(root, migrate):
    shutil.copytree(CASES / "whole/before", root, dirs_exist_ok=True)
    assert "--- /dev/null\n+++ b/x.rollout.yaml\n" in migrate("x.yaml").out
    shutil.copytree(CASES / "back/before", root, dirs_exist_ok=True)
    assert "--- a/x.rollout.yaml\n+++ /dev/null\n" in migrate("--to", "colocate", "x.yaml").out


@pytest.mark.parametrize("name", ["back", "server-half-is-there"])
@pytest.mark.parametrize("more", [[], ["x.rollout.yaml"], ["--include-bases"]])
def test_a_pair_is_one_whichever_files_are_named(name, more, root, migrate):
    shutil.copytree(CASES / name / "before", root, dirs_exist_ok=True)
    to = words(CASES / name)[words(CASES / name).index("--to") :][:2] if "--to" in words(CASES / name) else []
    ran = migrate("--write", "x.yaml", *to, *more)
    assert (ran.code, content(root)) == (0, content(CASES / name / "after")), ran.err
    assert ran.out == (CASES / name / "report.txt").read_text()
