"""To server mode and back: the same data, but for what the reports name; and there again: the same as there."""

import shlex
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from preset_files import write_presets
from round_trip import check_there_and_back
from round_trip import meaning
from round_trip import migrate

from migrate.cli import main
from schema.cli import main as validate_config

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())


def modes(folder):
    data = [yaml.safe_load(path.read_bytes()) for path in folder.rglob("*.yaml")]
    return {((one or {}).get("rlhf") or {}).get("vllm_mode") for one in data}


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if not name.startswith("back") and "server" not in modes(CASES / name / "before")],
)
def test_case(name, root):
    shutil.copy(CASES / "base.yaml", root)
    shutil.copytree(CASES / name / "before", root, dirs_exist_ok=True)
    words = shlex.split((CASES / name / "args").read_text())
    paths = [root / word for word in words if word.endswith("yaml")]
    check_there_and_back(paths, *(word for word in words if not word.endswith("yaml")))


@pytest.mark.parametrize("name", [name for name in NAMES if "server" in modes(CASES / name / "after")])
def test_back_from_any_server_mode_preset(name, root):
    shutil.copy(CASES / "base.yaml", root)
    shutil.copytree(CASES / name / "after", root, dirs_exist_ok=True)
    words = shlex.split((CASES / name / "args").read_text())
    paths = [root / word for word in words if word.endswith("yaml")]
    migrate("--to", "colocate", *paths)
    assert migrate("--to", "colocate", *paths) == []
    valid = CliRunner().invoke(validate_config, list(map(str, paths)))
    assert valid.exit_code == 0, valid.output
    assert {meaning(path).get("vllm_mode", "colocate") for path in paths} == {"colocate"}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), children=st.integers(0, 2))
def test_any_preset(seed, children):
    with tempfile.TemporaryDirectory() as folder:
        paths = write_presets(Path(folder), seed, children, modes=["colocate", "'colocate'"])
        if CliRunner().invoke(main, ["--check", *map(str, paths)]).exit_code == 1:
            check_there_and_back(paths)
