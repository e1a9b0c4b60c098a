"""What a learner's GPU needs while it computes, against what torch saves and allocates for real layers."""

import json
import subprocess
from pathlib import Path

import pytest

from launch.sizing.activations import layer
from launch.sizing.learner import fit
from launch.sizing.learning import Learning
from launch.sizing.states import states
from schema.shape.model import shape
from schema.split.capacity import GIB
from tests.upstream.oracle import ROOT

CONFIG = {"hidden_size": 192, "intermediate_size": 640, "num_attention_heads": 8, "num_key_value_heads": 2}
CONFIG |= {"head_dim": 32, "vocab_size": 320, "num_hidden_layers": 2}
#: As wide as Qwen3-4B, with a few of its layers.
WIDE = {"hidden_size": 2560, "intermediate_size": 9728, "num_attention_heads": 32, "num_key_value_heads": 8}
WIDE |= {"head_dim": 128, "vocab_size": 151936, "num_hidden_layers": 6, "tie_word_embeddings": True}
LORA = Learning(4, 300, 200, rank=32, dropout=False)
LONG = Learning(1, 6000, 8, rank=32, dropout=False)
SMALL = Learning(2, 48, 48, rank=16, dropout=False)
KEPT = [SMALL, SMALL._replace(dora=True), Learning(3, 64, 64, full=True)]
STEPS = [
    learning._replace(dora=dora, zero=zero)
    for learning in (LORA, LORA._replace(rows=1), LONG, LORA._replace(checkpointing=False))
    for dora in (False, True)
    for zero in (None, 2)
]


def asked(script, wishes):
    """The numbers that a script tells, in the environment of the reference stack."""
    python = ROOT / ".venv-upstream/bin/python"
    assert python.exists(), "no environment: run tests/upstream/setup.sh"
    command = [str(python), str(Path(__file__).with_name(script)), json.dumps(wishes)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="module")
def kept():
    """What autograd saves of a layer, by what is learned."""
    wishes = [each._asdict() | {"config": CONFIG, "tokens": each.tokens // each.rows} for each in KEPT]
    return dict(zip(KEPT, asked("saved.py", wishes), strict=True))


@pytest.fixture(scope="module")
def steps():
    """What torch allocates for a micro-step, by what is learned."""
    wishes = [each._asdict() | {"config": WIDE, "plain": each.zero is None} for each in STEPS]
    return dict(zip(STEPS, asked("peaks.py", wishes), strict=True))


@pytest.mark.parametrize("learning", KEPT, ids=("lora", "dora", "full"))
def test_layer_keeps_what_autograd_saves(kept, learning):
    model = shape(CONFIG | {"model_type": "qwen3"})
    assert model.decoder
    assert layer(model.decoder, model, learning) == pytest.approx(kept[learning], rel=0.02)


@pytest.mark.parametrize("learning", STEPS)
def test_micro_step_needs_what_torch_allocates(steps, learning):
    model = shape(WIDE | {"model_type": "qwen3"})
    held = states(model, learning)
    needed = fit(model, learning, 80).moments["backward"] - (held.kept + held.gradients) / GIB
    assert needed == pytest.approx(steps[learning] / GIB, rel=0.1, abs=0.05)
