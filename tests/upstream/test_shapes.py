"""Parameters that are counted from config.json, against the models that transformers builds from it."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from schema.shape.layers import HEAD
from schema.shape.model import shape
from tests.upstream.oracle import ROOT

CONFIGS = sorted((ROOT / "tests/schema/shape/configs").glob("*.json"))
META = Path(__file__).with_name("meta.py")


@pytest.fixture(scope="module")
def models():
    """What transformers says of each config."""
    python = ROOT / ".venv-upstream/bin/python"
    assert python.exists(), "no environment: run tests/upstream/setup.sh"
    said = subprocess.run([python, META, *CONFIGS], check=True, capture_output=True, text=True).stdout
    return dict(zip(CONFIGS, json.loads(said), strict=True))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_each_part_has_as_many_parameters_as_in_transformers(models, file):
    counted = shape(json.loads(file.read_text()))
    assert counted.missing == ()
    assert counted.parts == models[file]["parts"]


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_adapters_find_the_same_linear_layers(models, file):
    found = Counter()
    for each in shape(json.loads(file.read_text())).linears:
        if each.part != HEAD:
            found[each.part, each.inputs, each.outputs, each.bias] += each.times
    assert sorted([*size, count] for size, count in found.items()) == models[file]["linears"]
