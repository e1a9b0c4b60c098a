"""What a KV cache will hold, beside what vLLM said once it was loaded."""

import json

import pytest

from schema.split.capacity import Capacity
from schema.split.capacity import capacity

#: GiB of an H200 as nvidia-smi tells them.
H200 = 143771 / 1024
TEXT = {"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
QWEN3_VL_4B = Capacity(147456, 2 * 4_440_000_000)


@pytest.mark.parametrize(
    ("model", "share", "seen"),
    [
        (QWEN3_VL_4B, 0.6, 533_632),
        (QWEN3_VL_4B, 0.6, 530_720),
        (QWEN3_VL_4B, 0.5, 432_752),
        (Capacity(2048, 45_162_160), 0.3, 21_246_560),
    ],
)
def test_prediction_is_near_what_vllm_found(model, share, seen):
    assert model.tokens(H200, share, 1) == pytest.approx(seen, rel=0.03)


def test_engine_that_spans_two_gpus_holds_more_than_twice_as_much():
    assert QWEN3_VL_4B.tokens(H200, 0.6, 2) > 2 * QWEN3_VL_4B.tokens(H200, 0.6, 1)


def test_weights_that_do_not_fit_leave_nothing():
    assert QWEN3_VL_4B.tokens(8, 0.6, 1) == 0


def checkpoint(folder, **config):
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model-1.safetensors").write_bytes(b"12345")
    (folder / "model-2.safetensors").write_bytes(b"678")
    return str(folder)


def test_checkpoint_tells_what_a_token_and_the_weights_take(tmp_path):
    assert capacity(checkpoint(tmp_path, text_config=TEXT, vision_config={})) == Capacity(147456, 8)


def test_heads_of_a_plain_model(tmp_path):
    config = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64}
    assert capacity(checkpoint(tmp_path, **config)) == Capacity(2 * 2 * 4 * 16 * 2, 8)


@pytest.mark.parametrize(
    "other",
    [
        {"kv_lora_rank": 512},
        {"sliding_window": 4096},
        {"layer_types": ["full_attention", "linear_attention"]},
        {"num_hidden_layers": None},
    ],
)
def test_nothing_is_told_of_another_kind_of_cache(tmp_path, other):
    assert capacity(checkpoint(tmp_path, **TEXT | other)) is None


def test_nothing_is_told_of_a_model_that_is_not_here(tmp_path):
    assert capacity(str(tmp_path / "none")) is None
    assert capacity("Qwen/Qwen3-VL-4B-Instruct") is None
