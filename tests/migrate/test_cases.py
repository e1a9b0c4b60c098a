"""Presets before and after: cases/NAME/{before,after}, `args`, and `report.txt` and `warnings.txt` of its output.

Every case can extend cases/base.yaml, which stands beside its files.
"""

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from schema.cli import main as validate_config
from tests.migrate.golden import warnings
from tests.migrate.golden import words

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())


@pytest.fixture
def case(request, root):
    """The folder of a case, whose files lie in the current folder."""
    shutil.copy(CASES / "base.yaml", root)
    shutil.copytree(CASES / request.param / "before", root, dirs_exist_ok=True)
    return CASES / request.param


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.yaml")}


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_case(case, root, files, migrate):
    before, wanted = files(), content(case / "after")
    assert wanted.keys() == content(case / "before").keys()
    changes = wanted != content(case / "before")

    assert (migrate(*words(case)).code, files()) == (int(changes), before)
    assert (migrate("--check", *words(case)).code, files()) == (int(changes), before)

    written = migrate("--write", *words(case))
    assert (written.code, written.err) == (0, warnings(case))
    assert {name: content(root)[name] for name in wanted} == wanted
    touched = {name for name, found in files().items() if found != before[name]}
    assert touched == {str(name) for name in wanted if wanted[name] != content(case / "before")[name]}
    if (case / "report.txt").exists():
        assert written.out == (case / "report.txt").read_text()

    after = files()
    again = migrate("--write", *words(case))
    assert (again.code, files()) == (0, after)
    assert set(again.out.splitlines()) == {
        f"{name}: nothing to do" for name in words(case) if name.endswith("yaml")
    }
    check_result(case)


def check_result(case):
    """What was written is in the wanted mode, and valid."""
    mode = words(case)[words(case).index("--to") + 1] if "--to" in words(case) else "server"
    presets = [word for word in words(case) if word.endswith("yaml")]
    split = words(case)[words(case).index("--rollout-gpus") :][:4] if "--rollout-gpus" in words(case) else []
    checked = CliRunner().invoke(validate_config, [*presets, *split])
    assert (checked.exit_code, checked.stderr) == (0, "")
    for preset in presets:
        assert (yaml.safe_load(Path(preset).read_bytes()).get("rlhf") or {}).get("vllm_mode", mode) == mode
