"""Who else reads a base, by whatever name and from wherever: nobody who is not named changes."""

import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
LEAF = "extends: [{}, {}]\nglobal_max_length: 4096\nrlhf:\n  use_vllm: true\n  vllm_mode: colocate\n"
KNOBS = "rlhf:\n  vllm_max_num_seqs: 4\n"


@pytest.fixture
def write(root):
    """Writes leaves, with the base and the component that each extends, beside base.yaml."""
    shutil.copy(CASES / "base.yaml", root)

    def write(leaves, component="engine.yaml"):
        (root / component).parent.mkdir(exist_ok=True)
        (root / component).write_text(KNOBS)
        for name, bases in leaves.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(LEAF.format(*bases))

    return write


def check_refused_for(other, files, migrate, *args):
    before = files()
    ran = migrate("--write", *args)
    assert ran.code == 2
    assert f"{other} would change, too" in ran.err
    assert files() == before


@pytest.mark.parametrize("args", [["x.yaml", "engine.yaml"], ["--include-bases", "x.yaml"]], ids=["named", "flag"])
def test_a_base_that_another_preset_reaches_through_a_link(args, root, write, files, migrate):
    write({"x.yaml": ["base.yaml", "engine.yaml"], "y.yaml": ["base.yaml", "link.yaml"]})
    (root / "link.yaml").symlink_to("engine.yaml")
    check_refused_for("y.yaml", files, migrate, *args)
    check_refused_for("x.yaml", files, migrate, "--include-bases", "y.yaml")


def test_two_names_of_one_file_are_one_preset(root, write, migrate):
    write({"x.yaml": ["base.yaml", "engine.yaml"], "y.yaml": ["base.yaml", "link.yaml"]})
    (root / "link.yaml").symlink_to("engine.yaml")
    (root / "folder").symlink_to(".")
    args = ["--include-bases", "x.yaml", "folder/x.yaml", "y.yaml"]
    written = migrate("--write", *args)
    assert written.out.splitlines()[-3:] == ["engine.yaml: written", "x.yaml: written", "y.yaml: written"]
    assert (root / "link.yaml").is_symlink()
    again = migrate("--write", *args)
    assert (again.code, again.out) == (0, "x.yaml: nothing to do\ny.yaml: nothing to do\n")


@pytest.mark.parametrize("marker", [".git", "pyproject.toml"])
def test_a_base_in_a_project_below(marker, root, write, files, migrate):
    leaves = {"x.yaml": ["base.yaml", "sub/engine.yaml"], "y.yaml": ["base.yaml", "sub/engine.yaml"]}
    write(leaves, "sub/engine.yaml")
    (root / "sub/own.yaml").write_text("extends: engine.yaml\n")
    (root / "sub" / marker).touch()
    check_refused_for("y.yaml, sub/own.yaml", files, migrate, "--include-bases", "x.yaml")
    assert "y.yaml, sub/own.yaml would change, too" in migrate("x.yaml").err


def test_folders_that_no_project_holds(root, write, files, migrate):
    (root / "pyproject.toml").unlink()
    bases = ["../base.yaml", "../parts/engine.yaml"]
    write({"leaves/x.yaml": bases, "leaves/y.yaml": bases}, "parts/engine.yaml")
    check_refused_for("leaves/y.yaml", files, migrate, "--include-bases", "leaves/x.yaml")
    assert "leaves/y.yaml would change, too" in migrate("leaves/x.yaml").err


def test_all_bases_are_named_at_once(root, write, migrate):
    write({"x.yaml": ["base.yaml", "engine.yaml"], "y.yaml": ["base.yaml", "asleep.yaml"]})
    (root / "asleep.yaml").write_text("extends: engine.yaml\nrlhf:\n  sleep_level: 1\n")
    refused = migrate("y.yaml")
    assert refused.err == (
        "error: engine.yaml:2:3: y.yaml inherits rlhf.vllm_max_num_seqs (line 2) from this base, and"
        " rlhf.sleep_level (line 3) from asleep.yaml, which were not named. Either name them in the same call, or"
        " pass --include-bases; x.yaml would change, too, and must be named. Or pass --mask-bases: the bases stay"
        " as they are, and y.yaml hides these keys with null\n"
    )
