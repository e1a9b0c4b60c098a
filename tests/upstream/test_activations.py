"""What a layer keeps for its backward pass, against what autograd saves of a real one."""

import json
import subprocess
from pathlib import Path

import pytest

from launch.sizing.activations import layer
from launch.sizing.learning import Learning
from schema.shape.model import shape
from tests.upstream.oracle import ROOT

SAVED = Path(__file__).with_name("saved.py")
CONFIG = {"hidden_size": 192, "intermediate_size": 640, "num_attention_heads": 8, "num_key_value_heads": 2}
CONFIG |= {"head_dim": 32, "vocab_size": 320, "num_hidden_layers": 2}


@pytest.mark.parametrize(
    "learning",
    [
        Learning(2, 48, 48, rank=16, dropout=False),
        Learning(2, 48, 48, rank=16, dropout=False, dora=True),
        Learning(3, 64, 64, full=True),
    ],
    ids=("lora", "dora", "full"),
)
def test_layer_keeps_what_autograd_saves(learning):
    python = ROOT / ".venv-upstream/bin/python"
    assert python.exists(), "no environment: run tests/upstream/setup.sh"
    wish = {"config": CONFIG, "rows": learning.rows, "tokens": learning.tokens // learning.rows}
    wish |= {"full": learning.full, "dora": learning.dora, "rank": learning.rank}
    said = subprocess.run([python, SAVED, json.dumps(wish)], check=True, capture_output=True, text=True).stdout
    model = shape(CONFIG | {"model_type": "qwen3"})
    assert layer(model.decoder, model, learning) == pytest.approx(int(said), rel=0.02)
