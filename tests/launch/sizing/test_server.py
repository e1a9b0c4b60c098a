"""What an engine will hold, beside what vLLM said once it was loaded."""

import pytest

from launch.sizing.server import fit
from schema.split.capacity import Engine
from tests.launch.sizing import cases

QWEN3_VL_4B = cases.model("qwen3-vl-4b")
H100 = 81559 / 1024


def engine(line):
    """The engine of a line; what it does not say is vLLM's own."""
    return Engine(
        line["utilization"],
        line["length"],
        line.get("tensor", 1),
        line.get("sequences") or Engine().sequences,
        eager=line.get("eager", False),
        cache=line.get("cache", "auto"),
    )


@pytest.mark.parametrize("line", cases.ENGINES, ids=cases.called)
def test_kv_tokens_are_within_three_percent_of_what_vllm_found(line):
    found = fit(cases.model(line["model"]), engine(line), line.get("gpu_mib", cases.H200) / 1024)
    assert found.kv_tokens == pytest.approx(line["kv_tokens"], rel=0.03)
    assert found.fits


def test_engine_that_spans_two_gpus_holds_more_than_twice_as_much():
    one, two = (fit(QWEN3_VL_4B, Engine(0.6, 8192, tensor), H100) for tensor in (1, 2))
    assert two.kv_tokens > 2 * one.kv_tokens


def test_cache_of_eight_bits_holds_twice_as_much():
    usual, fp8 = (fit(QWEN3_VL_4B, Engine(0.6, 8192, cache=cache), H100) for cache in ("auto", "fp8"))
    assert fp8.kv_tokens == pytest.approx(2 * usual.kv_tokens, abs=1)


def test_weights_that_do_not_fit_leave_nothing():
    found = fit(QWEN3_VL_4B, Engine(0.6, 8192), 16)
    assert (found.kv_tokens, found.sequences, found.fits) == (0, 0, False)


def test_cache_that_cannot_hold_one_sequence_does_not_fit():
    found = fit(QWEN3_VL_4B, Engine(0.5, 131072), 24)
    assert 0 < found.sequences < 1
    assert not found.fits


def test_sequences_of_a_typical_length():
    found = fit(QWEN3_VL_4B, Engine(0.6, 8192), H100)
    assert found.held(1024) == pytest.approx(8 * found.sequences)


def test_what_is_not_known_is_told():
    found = fit(QWEN3_VL_4B._replace(unlike="it has layers of linear_attention"), Engine(0.6, 8192), H100)
    assert (found.kv_tokens, found.fits) == (None, None)
    assert found.missing == ("the KV cache is not known, because it has layers of linear_attention",)


def test_model_without_known_weights_is_told_unless_its_files_tell_them():
    novel = QWEN3_VL_4B._replace(layers=(), missing=("the parameters are not counted, because ...",))
    assert fit(novel, Engine(0.6, 8192), H100).missing == novel.missing
    stored = fit(novel, Engine(0.6, 8192), H100, stored=2 * QWEN3_VL_4B.parameters)
    assert stored == fit(QWEN3_VL_4B, Engine(0.6, 8192), H100)


def test_quantized_weights_are_as_large_as_their_files():
    quantized = QWEN3_VL_4B._replace(quantized=True)
    assert fit(quantized, Engine(0.6, 8192), H100, stored=2**32).weights_gib == 4
    assert fit(quantized, Engine(0.6, 8192), H100).missing == (
        "the weights are quantized, and their files are not here",
    )
