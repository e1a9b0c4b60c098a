"""What config.json alone says of a model; `make test-upstream` counts the same with transformers."""

import json
from pathlib import Path

import pytest

from schema.shape.model import shape

CONFIGS = Path(__file__).with_name("configs")
#: As their publishers tell them.
PARAMETERS = {
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-0.6b": 596_049_920,
    "llama-3.1-8b": 8_030_261_248,
    "mixtral-8x7b": 46_702_792_704,
    "qwen1.5-moe": 14_315_784_192,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen2.5-vl-3b": 3_754_622_976,
    "qwen2.5-vl-7b": 8_292_166_656,
    "qwen3-vl-4b": 4_437_815_808,
}


def config(name):
    """A config.json of a well-known shape."""
    return json.loads((CONFIGS / f"{name}.json").read_text())


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_all_parameters_are_counted(name, parameters):
    assert shape(config(name)).parameters == parameters


def test_head_that_is_tied_counts_once():
    tied, apart = shape(config("qwen3-vl-4b")), shape(config("qwen3-vl-4b") | {"tie_word_embeddings": False})
    assert apart.parts["lm_head"] == tied.parts["embeddings"]
    assert "lm_head" not in tied.parts


def test_unknown_architecture_tells_its_numbers_and_what_is_missing():
    found = shape(config("qwen3-8b") | {"model_type": "novel"})
    assert found.decoder == shape(config("qwen3-8b")).decoder
    assert found.parameters == 0
    assert found.missing == ("the parameters are not counted, because models of type novel are not known here",)


def test_unknown_tower_is_told():
    found = shape(config("qwen3-8b") | {"vision_config": {"depth": 2}})
    assert "the vision tower of type qwen3 is not known" in found.missing[0]


@pytest.mark.parametrize("said", [{}, {"model_type": 3}, {"model_type": "qwen3", "hidden_size": "wide"}])
def test_config_that_says_little_is_no_error(said):
    found = shape(said)
    assert found.decoder is None
    assert found.missing[0].startswith("config.json does not say")


@pytest.mark.parametrize(
    "said", [{"mlp_only_layers": 7}, {"mlp_only_layers": [None, -1, 10**12]}, {"num_hidden_layers": 2**31 - 1}]
)
def test_hostile_config_costs_nothing(said):
    assert shape(config("qwen3-30b-a3b") | said).parameters > 0


def test_layers_without_experts():
    mixed = config("qwen3-moe-mixed")
    layers = {layer.name: layer for layer in shape(mixed).linears}
    assert layers["gate_proj"].times == 7 - 3 + 1
