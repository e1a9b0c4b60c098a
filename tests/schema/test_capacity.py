"""What one token, the weights and vLLM's own work take on a GPU."""

import json

import pytest

from schema.checkpoint import stored
from schema.models.server import RolloutServerConfig
from schema.shape.model import shape
from schema.split.aside import aside
from schema.split.capacity import Engine
from schema.split.capacity import engine
from schema.split.capacity import token
from schema.split.capacity import unknown
from schema.split.capacity import weights

TEXT = {"model_type": "qwen3", "hidden_size": 2560, "intermediate_size": 9728, "vocab_size": 151936}
TEXT |= {"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
DENSE = shape(TEXT)


def test_a_token_has_two_vectors_in_each_layer_and_head():
    assert token(DENSE) == 2 * 36 * 8 * 128 * 2
    assert token(DENSE, tensor=2) == token(DENSE) // 2


def test_heads_that_are_fewer_than_gpus_are_copied():
    assert token(DENSE, tensor=16) == token(DENSE, tensor=8)
    assert weights(DENSE, 16) > weights(DENSE, 8) / 2 > weights(DENSE, 8) / 2.5


def test_cache_of_eight_bits_halves_a_token():
    assert token(DENSE, cache="fp8") == token(DENSE) // 2
    assert token(DENSE, cache="nvfp4") is None
    assert unknown(DENSE, "nvfp4") == "kv_cache_dtype nvfp4 is not known here"


def test_latent_attention_keeps_one_vector_a_layer_on_each_gpu():
    latent = shape(TEXT | {"kv_lora_rank": 512, "qk_rope_head_dim": 64})
    assert token(latent) == token(latent, tensor=4) == 36 * 576 * 2


@pytest.mark.parametrize(
    "other",
    [
        {"sliding_window": 4096},
        {"layer_types": ["full_attention", "linear_attention"]},
        {"index_topk": 2048},
        {"mamba_d_state": 16},
        {"num_hidden_layers": None},
    ],
)
def test_nothing_is_told_of_another_kind_of_cache(other):
    found = shape(TEXT | other)
    assert token(found) is None
    assert unknown(found)


@pytest.mark.parametrize("other", [{"use_sliding_window": False}, {"layer_types": ["full_attention"] * 36}])
def test_a_window_that_is_not_used_changes_nothing(other):
    assert token(shape(TEXT | {"sliding_window": 4096} | other)) == token(DENSE)


def test_settings_of_a_server():
    more = {"kv_cache_dtype": "fp8", "max_num_batched_tokens": 8192}
    config = RolloutServerConfig(vllm_enforce_eager=True, vllm_max_num_seqs=4, vllm_engine_kwargs=more)
    assert engine(config, 2, 4096) == Engine(0.9, 4096, 2, 4, 8192, eager=True, cache="fp8")


def test_fewer_sequences_leave_more_room():
    assert aside(DENSE, Engine(sequences=4)) < aside(DENSE, Engine(sequences=256))


def test_weight_files_tell_their_bytes(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(TEXT))
    (tmp_path / "model-1.safetensors").write_bytes(b"12345")
    (tmp_path / "model-2.safetensors").write_bytes(b"678")
    assert stored(tmp_path) == 8
    assert weights(DENSE._replace(quantized=True), 2, stored(tmp_path)) == 4
    assert stored("Qwen/Qwen3-VL-4B-Instruct") == 0
