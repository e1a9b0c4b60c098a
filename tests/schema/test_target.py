"""The release that a preset is checked for, which need not be catalogued, and others that would suit it better."""

import pytest

from schema.swift.release import installed
from tests.schema.complete import COLOCATE

OLD = COLOCATE.replace("tuner_type", "train_type")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes Python see an installed ms-swift of some version, by its metadata alone."""

    def install(version):
        folder = tmp_path / "site" / f"ms_swift-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ms-swift\nVersion: {version}\n")
        monkeypatch.syspath_prepend(folder.parent)
        installed.cache_clear()

    yield install
    installed.cache_clear()


def saving(text):
    return text.replace("training:\n", "training:\n  save_safetensors: true\n")


def rules(ran):
    return [found["rule"] for found in ran.findings]


def test_an_installed_release_that_is_not_catalogued_is_checked_as_the_nearest_with_one_warning(
    validate, write, install
):
    install("4.0.9.dev0")
    one, two = write("one.yaml", OLD), write("two.yaml", OLD)
    ran = validate(one, two, "--format", "json")
    assert (ran.code, ran.findings) == (0, [])
    assert ran.err.startswith(
        "warning: ms-swift 4.0.9.dev0 is installed and not catalogued: presets are checked for 4.0.4"
    )
    assert ran.err.count("\n") == 1


def test_a_named_release_between_catalogued_ones_is_checked_as_the_one_before_it_with_one_warning(validate, write):
    ran = validate(write("one.yaml", COLOCATE), "--swift-version", "4.4.3", "--format", "json")
    assert (ran.code, ran.findings) == (0, [])
    assert ran.err.startswith("warning: ms-swift 4.4.3 is named and not catalogued: presets are checked for 4.4.2")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("version", ["", "4", "4.4", "3.9.9", "9.9.9", "latest"])
def test_any_other_name_of_a_release_is_refused(validate, write, version):
    ran = validate(write("one.yaml", COLOCATE), "--swift-version", version)
    assert (ran.code, ran.out) == (2, "")
    assert "is not catalogued; the nearest" in ran.err


@pytest.mark.parametrize(
    "case",
    [
        ("3.12.0", (), ""),
        ("9.9.9", ("--swift-version", "3.12.0"), ""),
        ("9.9.9", (), '[tool.rollout-split]\nswift-version = "3.12.0"\n'),
    ],
    ids=["catalogued", "option", "project"],
)
def test_no_warning_where_the_release_is_known_or_said(validate, write, install, case):
    version, said, table = case
    install(version)
    write("below/pyproject.toml", table)
    assert validate(write("below/one.yaml", OLD), *said) == (0, "", "")


def test_a_hook_is_not_warned_of_files_that_are_no_presets(validate, write, install):
    install("9.9.9")
    assert validate(write("other.yaml", "a: 1\n"), PRE_COMMIT="1") == (0, "", "")


def test_the_releases_that_know_all_keys_are_told_once_a_preset(validate, write):
    ran = validate(
        write("old.yaml", saving(OLD)), write("copy.yaml", OLD), "--format", "json", "--swift-version", "4.5.2"
    )
    assert rules(ran).count("another-release") == 2
    told, other = [found for found in ran.findings if found["rule"] == "another-release"]
    assert told["message"].startswith("ms-swift 3.10.0 to 3.12.6 know all keys of this preset; the target release")
    assert told["message"].endswith("lacks train_type, save_safetensors")
    assert "--swift-version 3.12.6" in told["fix"]
    assert other["message"].startswith("ms-swift 3.10.0 to 4.0.4 know")


def test_nothing_is_told_where_no_release_knows_all_keys(validate, preset):
    mixed = preset("training: {save_safetensors: true}\nrlhf: {min_p: 0.1}", base="colocate.yaml")
    assert rules(validate(mixed, "--format", "json", "--swift-version", "4.6.0")) == ["unknown-key"]
    assert rules(validate(mixed, "--format", "json", "--swift-version", "4.0.0")) == ["unknown-key"] * 2


def test_nothing_is_told_of_a_key_that_the_repository_takes_out(validate, write, preset):
    preset("")
    write("below/pyproject.toml", '[tool.rollout-split.repository-keys]\ntraining = ["save_safetensors"]\n')
    assert validate(write("below/one.yaml", saving(COLOCATE))).code == 0
