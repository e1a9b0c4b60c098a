"""To server mode and back: the same data, but for what the reports name; and there again: the same as there."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli import main
from schema.cli import main as validate_config
from schema.resolve import Workspace
from schema.resolve.graph import graph
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.golden import words
from tests.migrate.preset_files import VALID
from tests.migrate.preset_files import write_presets
from tests.migrate.round_trip import check_there_and_back
from tests.migrate.round_trip import check_way_back
from tests.migrate.round_trip import differing
from tests.migrate.round_trip import meaning
from tests.migrate.round_trip import migrate
from tests.migrate.round_trip import not_carried

REPO = Path(__file__).parents[2]
EXAMPLES, PRESETS = REPO / "tests/examples", REPO / "tests/presets/colocate"
CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())


def starts_in_server_mode(name, side="before"):
    texts = [path.read_text() for path in (CASES / name / side).rglob("*.yaml")]
    return any(
        word in text for text in texts for word in ("vllm_mode: server", 'vllm_mode: "server"', "_host:", "_url:")
    )


def call(name, root):
    """The files of a case, and the options of its call."""
    shutil.copy(CASES / "base.yaml", root)
    presets = [word for word in words(CASES / name) if word.endswith("yaml")]
    return [root / preset for preset in presets], [word for word in words(CASES / name) if word not in presets]


def back(options):
    return [option for option in options if option == "--include-bases"]


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("back") and not starts_in_server_mode(n)])
def test_case(name, root):
    shutil.copytree(CASES / name / "before", root, dirs_exist_ok=True)
    paths, options = call(name, root)
    check_there_and_back(paths, *options, back=back(options))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("back")])
def test_back_from_any_server_mode_preset(name, root):
    shutil.copytree(CASES / name / "after", root, dirs_exist_ok=True)
    paths, options = call(name, root)
    migrate("--to", "colocate", *back(options), *paths)
    assert migrate("--to", "colocate", *paths) == []
    valid = CliRunner().invoke(validate_config, list(map(str, paths)))
    assert valid.exit_code == 0, valid.output
    assert {meaning(path).get("vllm_mode", "colocate") for path in paths} == {"colocate"}


@pytest.mark.long
def test_any_preset():
    @examples(40)
    @given(seed=st.integers(0, 2**32), children=st.integers(0, 2))
    def check(seed, children):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_presets(Path(folder), seed, children, modes=["colocate", "'colocate'"])
            went.append(went_there_and_back(paths))

    with floor(0.3) as went:
        check()


def went_there_and_back(paths, *options, back=()):
    """Whether presets are migrated at all; then they must come back."""
    before = [meaning(path) for path in paths]
    ran = CliRunner().invoke(main, ["--write", "--report", "json", *options, *map(str, paths)])
    changes = json.loads(ran.stdout)["changes"] if ran.exit_code == 0 else []
    if changes:
        check_way_back(paths, before, changes, *options, back=back)
    return bool(changes)


@pytest.mark.long
@pytest.mark.parametrize("flag", ["--include-bases", "--mask-bases"])
def test_any_preset_whose_base_is_not_named(flag):
    @examples(20)
    @given(seed=st.integers(0, 2**32))
    def check(seed):
        with tempfile.TemporaryDirectory() as folder:
            parent, *named = write_presets(Path(folder), seed, 2, modes=["colocate"], knobs=VALID)
            heir = parent.with_name("heir.yaml")
            if flag == "--mask-bases":
                heir.write_text("extends: parent.yaml\n")
            before = meaning(heir) if heir.exists() else None
            went.append(went_there_and_back(named, flag, back=[flag] if flag == "--include-bases" else []))
            if heir.exists():
                assert meaning(heir) == before

    with floor(0.3) as went:
        check()


#: Why an example may be refused: another split than its own, or nothing to split.
REFUSED = "|".join(
    [
        "validate-config would refuse the migrated preset",
        "use_vllm is not true",
        "no whole",
        "not divisible by .*W",
        "does not divide .* rollout GPUs",
    ]
)


def nested_examples():
    return [path for path in EXAMPLES.glob("rules/*/good/*.yaml") if "../base/" in path.read_text()]


@pytest.mark.parametrize("example", nested_examples(), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_good_example_goes_the_other_way_and_leaves_its_base_to_the_others(example, root):
    files = [path for path in EXAMPLES.glob("files/**/*") if path.is_file()]
    for path in (*EXAMPLES.glob("base/*.yaml"), *files, EXAMPLES / "pyproject.toml", example):
        copy = root / path.relative_to(EXAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    preset = root / example.relative_to(EXAMPLES)
    mode = "colocate" if meaning(preset).get("vllm_mode") == "server" else "server"
    said = re.search(r"--swift-version \S+", example.read_text())
    version = said[0].split() if said else []
    ran = CliRunner().invoke(main, ["--write", "--mask-bases", "--to", mode, *version, str(preset)])
    if ran.exit_code == 2:
        assert re.search(REFUSED, ran.stderr), ran.stderr
        return
    assert ran.exit_code == 0, ran.output
    assert CliRunner().invoke(validate_config, [*version, str(preset)]).exit_code == 0
    assert meaning(preset)["vllm_mode"] == mode
    assert [path.read_bytes() for path in root.glob("base/*")] == [p.read_bytes() for p in EXAMPLES.glob("base/*")]


@pytest.mark.parametrize("name", sorted(path.name for path in PRESETS.glob("configs/train/grpo/*.yaml")))
def test_shipped_preset(name, root):
    shutil.copytree(PRESETS / "configs", root / "configs")
    preset = root / "configs/train/grpo" / name
    heirs = graph(Workspace(), root).dependents(preset)
    # An engine of four GPUs does not fit 6 + 2.
    split = ["--rollout-gpus", "4", "--train-gpus", "4"] if "tensor_parallel_size: 4" in preset.read_text() else []
    check_there_and_back([preset, *heirs], "--mask-bases", *split, back=split)


def test_preset_of_the_smoke_run_goes_to_colocate_mode_and_back(root):
    shutil.copytree(REPO / "configs/smoke", root, dirs_exist_ok=True)
    preset, size = root / "server.yaml", ("--rollout-gpus", "1", "--train-gpus", "1")
    before = meaning(preset)
    reports = migrate("--to", "colocate", *size, preset) + migrate(*size, preset)
    assert differing(before, meaning(preset)) <= not_carried(reports)
