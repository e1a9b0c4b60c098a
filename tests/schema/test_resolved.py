"""validate-config --resolved: the merged preset, and where each value comes from."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from schema.check import load
from schema.resolve import Workspace
from schema.resolve.tree import data
from tests.schema.complete import TESTS

PRESETS = sorted((TESTS.parent / "configs/train").rglob("*.yaml"))


def test_every_value_names_the_line_that_sets_it(validate, write):
    write("base.yaml", "rlhf: {rlhf_type: grpo, num_generations: 4}\nmodel:\n  model: m\n")
    leaf = write("leaf.yaml", "extends: base.yaml\nrlhf:\n  num_generations: 8\ntraining: {}\n")
    ran = validate("--resolved", leaf)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "---  # leaf.yaml",
        "rlhf:",
        "  rlhf_type: grpo  # base.yaml:1",
        "  num_generations: 8  # leaf.yaml:3",
        "model:",
        "  model: m  # base.yaml:3",
        "training: {}  # leaf.yaml:4",
    ]


@pytest.mark.parametrize(
    "file", [file for file in PRESETS if not file.name.startswith("ds_")], ids=lambda file: file.stem
)
def test_it_is_what_the_preset_means(validate, file):
    ran = validate("--resolved", file)
    assert yaml.safe_load(ran.out) == data(load(Workspace(), file).tree)
    sources = {found for line in ran.out.splitlines() for found in re.findall(r"  # (\S+):\d+$", line)}
    assert len(sources) == len(load(Workspace(), file).resolved.files)


def test_a_flat_pair_is_two_documents(validate, write):
    write("x.yaml", "rlhf_type: grpo\nmodel: m\n")
    write("x.rollout.yaml", "model: m\nvllm_max_model_len: 8192\n")
    ran = validate("--resolved", "x.yaml")
    assert list(yaml.safe_load_all(ran.out)) == [
        {"rlhf_type": "grpo", "model": "m"},
        {"model": "m", "vllm_max_model_len": 8192},
    ]


def test_secrets_are_starred(validate, write):
    write(
        "x.yaml", "rlhf: {rlhf_type: grpo}\ntraining: {hub_token: [hf_Hush123456, 1], run_name: a hf_Hush123456}\n"
    )
    ran = validate("--resolved", "x.yaml")
    assert "Hush" not in ran.out
    assert "hub_token: ***" in ran.out


def test_a_misspelt_secret_is_starred(validate, write):
    path = write("x.yaml", "rlhf: {rlhf_type: grpo}\ntraining:\n  hub_tokn: abcdefgh\n  other: hf_aB3dE5gH7jK9\n")
    out = validate("--resolved", path).out + validate(path).out
    assert "hub_tokn: ***" in out
    assert "abcdefgh" not in out
    assert "hf_aB3" not in out


def test_what_is_no_preset_is_refused(validate, write):
    assert validate("--resolved", write("x.yaml", "a: 1\n")).code == 2


@pytest.mark.parametrize("command", ["validate-config", "migrate-config"])
def test_shells_complete_options_and_files(command):
    program = Path(sys.executable).with_name(command)
    name = f"_{command.upper().replace('-', '_')}_COMPLETE"

    def completed(*words):
        environment = {
            **os.environ,
            name: "bash_complete",
            "COMP_WORDS": " ".join((command, *words)),
            "COMP_CWORD": "1",
        }
        return subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout

    assert "plain,--swift-version" in completed("--swi")
    assert completed("conf").startswith("file,conf")
