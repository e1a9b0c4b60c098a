"""`--suffix`: copies beside the originals are migrated, and extend each other; the originals stay as they are."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from schema.check import load
from schema.cli import main as validate_config
from schema.resolve import Workspace
from schema.resolve.tree import data

CASES = Path(__file__).parent / "cases"
PARENT = "extends: [base.yaml]\nglobal_max_length: 4096\nrlhf:\n  use_vllm: true\n  vllm_mode: colocate  # here\n"
FILES = {
    "parent.yaml": PARENT,
    "sub/child.yaml": '# A child.\nextends: "../parent.yaml"   # the parent\ntraining: {seed: 7}\n',
    "sub/list.yaml": "extends:\n  - ../base.yaml  # basis\n  - ./../parent.yaml\n",
    "sub/grandchild.yaml": "extends: child.yaml\n",
    "right.yaml": "extends: base.yaml\nglobal_max_length: 4096\n",
}
ALL = ("base.yaml", "parent.yaml", "sub/child.yaml", "sub/list.yaml", "sub/grandchild.yaml")
COPIES = {"parent_server.yaml", "sub/child_server.yaml", "sub/list_server.yaml", "sub/grandchild_server.yaml"}


@pytest.fixture
def family(root):
    """A parent, and what extends it."""
    shutil.copy(CASES / "base.yaml", root)
    (root / "sub").mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    return root


@pytest.fixture
def pair(root):
    """A flat preset in colocate mode."""
    shutil.copytree(CASES.with_name("cases-flat") / "whole/before", root, dirs_exist_ok=True)
    return root


def meaning(path):
    return data(load(Workspace(), path.absolute()).tree)


def test_copies_come_beside_the_originals_which_stay(family, files, migrate):
    before = files()
    assert migrate("--suffix", "_server", *ALL).code == 1
    assert (migrate("--suffix", "_server", "--check", *ALL).code, files()) == (1, before)
    ran = migrate("--suffix", "_server", "--write", *ALL)
    assert ran.code == 0
    assert {name: found for name, found in files().items() if name in before} == before
    assert files().keys() - before.keys() == COPIES
    assert ran.out.splitlines()[-1] == "sub/grandchild_server.yaml: written"


def test_copies_mean_what_the_migrated_originals_would(family, migrate):
    assert migrate("--suffix", "_server", "--write", *ALL).code == 0
    copies = {name: meaning(family / name) for name in COPIES}
    assert migrate("--write", *ALL).code == 0
    assert copies == {name: meaning(family / name.replace("_server", "")) for name in COPIES}
    assert {copy["rlhf"]["vllm_mode"] for copy in copies.values()} == {"server"}


def test_children_name_the_copies_by_the_same_relative_paths(family, migrate):
    migrate("--suffix", "_server", "--write", *ALL)
    child = FILES["sub/child.yaml"].replace("parent.yaml", "parent_server.yaml")
    assert (family / "sub/child_server.yaml").read_text() == child
    listed = FILES["sub/list.yaml"].replace("parent.yaml", "parent_server.yaml")
    assert (family / "sub/list_server.yaml").read_text() == listed


def test_a_base_that_is_known_by_a_link(family, migrate):
    (family / "link.yaml").symlink_to("parent.yaml")
    (family / "sub/child.yaml").write_text("extends: ../link.yaml\n")
    assert migrate("--suffix", "_server", "--write", "parent.yaml", "sub/child.yaml").code == 0
    assert yaml.safe_load((family / "sub/child_server.yaml").read_text()) == {"extends": "../parent_server.yaml"}


def test_a_base_that_means_something_else_through_a_link(family, files, migrate):
    shutil.copy(CASES / "base.yaml", family / "sub")
    with (family / "sub/base.yaml").open("a") as base:
        base.write("\nprompts: {profile: other}\n")
    (family / "sub/link.yaml").symlink_to("../parent.yaml")
    (family / "sub/child.yaml").write_text("extends: link.yaml\n")
    before = files()
    ran = migrate("--suffix", "_server", "--write", "parent.yaml", "sub/child.yaml")
    assert (ran.code, files()) == (2, before)
    assert "sub/child.yaml:1:1: its copy would resolve differently" in ran.err


def test_presets_that_are_not_named_neither_change_nor_stop_anything(family, migrate):
    before = {name: meaning(family / name) for name in FILES}
    assert migrate("--suffix", "_server", "--write", "parent.yaml").code == 0
    assert {name: meaning(family / name) for name in FILES} == before


def test_the_next_child_follows_the_copy_that_is_there(family, migrate):
    assert migrate("--suffix", "_server", "--write", "parent.yaml", "sub/child.yaml").code == 0
    ran = migrate("--suffix", "_server", "--write", "parent.yaml", "sub/list.yaml")
    assert (ran.code, ran.out.splitlines()[-2:]) == (
        0,
        ["parent_server.yaml: nothing to do", "sub/list_server.yaml: written"],
    )


def test_bases_that_are_included_get_copies(family, migrate):
    assert migrate("--suffix", "_server", "sub/child.yaml").code == 2
    ran = migrate("--suffix", "_server", "--write", "--include-bases", "sub/child.yaml")
    assert (ran.code, (family / "parent_server.yaml").exists()) == (0, True)
    assert (family / "parent.yaml").read_text() == PARENT
    assert not (family / "base_server.yaml").exists()


def test_bases_that_are_masked_get_none(family, migrate):
    assert migrate("--suffix", "_server", "--write", "--mask-bases", "sub/child.yaml").code == 0
    assert not (family / "parent_server.yaml").exists()
    assert 'extends: "../parent.yaml"' in (family / "sub/child_server.yaml").read_text()


@pytest.mark.parametrize("names", [ALL, [*ALL, *sorted(COPIES)]], ids=["the same call", "all files by now"])
def test_again_there_is_nothing_to_do(family, files, migrate, names):
    migrate("--suffix", "_server", "--write", *ALL)
    before = files()
    for options in (["--write"], ["--check"], []):
        ran = migrate("--suffix", "_server", *options, *names)
        assert (ran.code, ran.err, files()) == (0, "", before)
    assert set(ran.out.splitlines()) == {f"{name}: nothing to do" for name in {*COPIES, "base.yaml"}}


def test_another_file_in_the_place_of_a_copy(family, files, migrate):
    (family / "sub/list_server.yaml").write_text("mine: true\n")
    before = files()
    ran = migrate("--suffix", "_server", "--write", *ALL)
    assert (ran.code, ran.out, files()) == (2, "", before)
    assert ran.err == (
        "error: sub/list_server.yaml:1:1: exists already with other content; remove it, or choose another"
        " --suffix\n"
    )


def test_a_preset_that_needs_nothing_gets_no_copy(family, migrate):
    migrate("--write", *ALL)
    ran = migrate("--suffix", "_server", "--write", *ALL)
    assert (ran.code, list(family.rglob("*_server*"))) == (0, [])


def test_what_both_would_write_to_is_told(family, migrate):
    ran = migrate("--suffix", "_server", "parent.yaml")
    assert ran.err == (
        "warning: parent_server.yaml and parent.yaml share run_name 'tiny' and output_dir 'output/tiny': give one"
        " of them its own, or their runs get mixed up\n"
    )
    report = json.loads(migrate("--suffix", "_server", "--report", "json", "parent.yaml").out)
    assert f"warning: {report['warnings'][0]}\n" == ran.err


def test_a_refusal_has_its_place_in_the_original(family, migrate):
    (family / "parent.yaml").write_text(PARENT.replace("colocate", "&mode colocate"))
    assert migrate("--suffix", "_server", "parent.yaml").err.startswith(
        "error: parent.yaml:5:14: cannot be edited"
    )


def test_what_was_wrong_before_has_its_place_in_the_original_until_the_copy_is_there(family, migrate):
    (family / "parent.yaml").write_text(f"{PARENT}training: {{save_safetensors: true}}\n")

    def places(*args):
        before = json.loads(migrate("--suffix", "_server", "--report", "json", *args, "parent.yaml").out)["before"]
        return {(each["file"], each["line"]) for each in before}

    assert places() == {("parent.yaml", 6)}
    [(file, line)] = places("--write")
    assert (file, (family / file).read_text().splitlines()[line - 1][:8]) == ("parent_server.yaml", "training")


def test_the_diff_can_be_applied(family, files, migrate):
    diff = migrate("--suffix", "_server", *ALL).out.split("\nparent_server.yaml:\n")[0] + "\n"
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "apply"], input=diff, text=True, check=True)
    applied = {name: (family / name).read_bytes() for name in COPIES}
    for name in COPIES:
        (family / name).unlink()
    migrate("--suffix", "_server", "--write", *ALL)
    assert applied == {name: (family / name).read_bytes() for name in COPIES}


def test_a_pair_gets_both_files(pair, files, migrate):
    before = files()
    assert migrate("--suffix", "_server", "--write", "x.yaml").code == 0
    assert files().keys() - before.keys() == {"x_server.yaml", "x_server.rollout.yaml"}
    assert "the server of x_server.yaml" in (pair / "x_server.rollout.yaml").read_text()
    assert CliRunner().invoke(validate_config, ["x_server.yaml"]).output == ""
    original = (pair / "x.yaml").read_bytes()
    assert migrate("--to", "colocate", "--suffix", "_back", "--write", "x_server.rollout.yaml").code == 0
    assert (pair / "x_server_back.yaml").exists()
    assert not (pair / "x_server_back.rollout.yaml").exists()
    assert (pair / "x.yaml").read_bytes() == original


def test_a_half_that_an_earlier_call_has_left_is_not_the_copy_s(pair, migrate):
    migrate("--suffix", "_server", "--write", "x.yaml")
    assert migrate("--suffix", "_server", "--check", "x.yaml").code == 0
    (pair / "x_server.rollout.yaml").write_text("model: other\n")
    assert "x_server.rollout.yaml:1:1: exists already" in migrate("--suffix", "_server", "x.yaml").err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--suffix", "_s", "--output-dir", "out"], "--suffix and --output-dir exclude each other"),
        (["--suffix", ""], "it must be text to append to a file's name"),
        (["--suffix", "/x"], "it must be text to append to a file's name"),
        (["--suffix", ".rollout"], "is the name of the server's half of another preset"),
    ],
)
def test_wrong_usage(family, files, migrate, options, message):
    before = files()
    ran = migrate("--write", *options, "parent.yaml")
    assert (ran.code, ran.out, files()) == (2, "", before)
    assert message in ran.err
