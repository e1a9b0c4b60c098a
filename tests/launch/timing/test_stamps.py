"""Stamps: which lines of ms-swift and vLLM tell of time, and how a launcher keeps them."""

import random
from pathlib import Path

import pytest

from launch.timing.stamps import Stamper
from launch.timing.stamps import read
from launch.timing.stamps import stamps
from tests.launch.timing.runs import BEGUN
from tests.launch.timing.runs import LOGS
from tests.launch.timing.runs import SERVER
from tests.launch.timing.runs import a_run
from tests.launch.timing.runs import bar
from tests.launch.timing.runs import written

STATISTICS = (
    "INFO 11-29 00:46:11 [loggers.py:271] Engine 000: Avg prompt throughput: 472.6 tokens/s, Avg generation"
    " throughput: 815.4 tokens/s, Running: 29 reqs, Waiting: 3 reqs, Preemptions: 2, GPU KV cache usage: 97.5%,"
    " Prefix cache hit rate: 70.5%, MM cache hit rate: 75.0%"
)


@pytest.mark.parametrize(
    ("line", "what", "step"),
    [
        (SERVER.format("infer", 200), "completions", None),
        (SERVER.format("update_flattened_params", 200), "weights", None),
        (SERVER.format("update_adapter_flattened_param", 200), "weights", None),
        (SERVER.format("reset_prefix_cache", 200), "synced", None),
        (SERVER.format("reset_encoder_cache", 200), "synced", None),
        (BEGUN.format(32), "begun", 32),
        ("Train:  25%|██▌       | 2/8 [00:03<00:09,  1.54s/it]", "step", 2),
        ("Train:   0%|          | 0/8 [00:00<?, ?it/s]", "step", 0),
        ("Train:  25%|##5       | 2/8 [00:03<00:09,  1.54s/it]smoke-time sync 0.077", "step", 2),
        ("Val: 100%|██████████| 4/4 [00:03<00:00,  1.54it/s]", "evaluates", None),
        *((line, "log", None) for line in LOGS),
        (LOGS[0].replace("}", ", 'global_step/max_steps': '3/6'}"), "log", 3),
    ],
)
def test_lines_that_tell_of_time(line, what, step):
    (found,) = stamps(line, 7.0)
    assert (found.at, found.what, found.step) == (7.0, what, step)
    assert what != "log" or found.logged == {"completions/mean_length": 12.5, "completions/clipped_ratio": 0.75}


@pytest.mark.parametrize("before", ["", "(EngineCore pid=1714) ", BEGUN.format(8)])
def test_statistics_of_an_engine(before):
    *begun, found = stamps(before + STATISTICS, 7.0)
    assert [each.step for each in begun] == ([8] if "0/8" in before else [])
    assert (found.what, found.logged) == (
        "engine",
        {
            "engine": 0,
            "prompt_tps": 472.6,
            "generation_tps": 815.4,
            "running": 29,
            "waiting": 3,
            "preemptions": 2,
            "kv_percent": 97.5,
        },
    )


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("INFO 11-29 [kv_cache_utils.py:1744] GPU KV cache size: 530,720 tokens", {"kv_tokens": 530_720}),
        ("INFO 11-29 [gpu_worker.py:480] Available KV cache memory: 72.88 GiB", {"kv_gib": 72.88}),
        ("Model loading took 8.31 GiB memory and 2.5 seconds", {"weights_gib": 8.31}),
        ("Model loading took 8.31 GiB and 2.5 seconds", {"weights_gib": 8.31}),
        ("INFO 11-29 [cpu.py] CPU KV cache size: 1,024 tokens", {"kv_tokens": 1_024}),
    ],
)
def test_memory_of_an_engine(line, logged):
    (found,) = stamps(line, 7.0)
    assert (found.what, found.logged) == ("cache", logged)


@pytest.mark.parametrize(
    "line",
    [
        SERVER.format("infer", 500),
        SERVER.format("health", 200),
        "Map:  25%|██▌       | 2/8 [00:03<00:09,  1.54s/it]",
        "100%|██████████| 32/32 [00:03<00:00,  1.54it/s]",
        "Loading checkpoint shards: 10%| 0/2 [00:00<?, ?it/s]",
        "{'loss': 0.0005",
        "{'completions/mean_length': [1, 2]}",
        "{'completions/mean_length': " + "(" * 5000,
        "",
    ],
)
def test_other_lines(line):
    assert not list(stamps(line, 7.0))


@pytest.mark.parametrize(
    "line",
    [
        "GPU KV cache size: , tokens",
        f"GPU KV cache size: {'9' * 400} tokens",
        "Engine 0: Avg prompt throughput: 1.2.3 tokens/s",
        f"Train: 0%| | {'9' * 5000}/5 [",
        f"{{'completions/mean_length': {'9' * 401}}}",
        f"{{'completions/mean_length': '{'9' * 401}', 'global_step/max_steps': '{'9' * 5000}/5'}}",
        BEGUN.format("9" * 5000),
    ],
)
def test_lines_that_a_model_could_write(line):
    """Completions are printed, too: no line may end the thread that reads them, or tell of infinity."""
    for found in stamps(line, 7.0):
        assert all(value < 10**17 for value in (found.logged or {}).values())


def test_numbers_that_are_none_are_left_out():
    """As the releases before 4.0 print them."""
    (found,) = stamps("{'completions/mean_length': 12.5, 'completions/clipped_ratio': nan, 'reward': -inf}", 7.0)
    assert found.logged == {"completions/mean_length": 12.5}


def test_bars_count_when_they_are_drawn(tmp_path):
    """They have no end of their own: that comes with whatever is printed next."""
    stamper = Stamper(tmp_path / "stamps", print)
    stamper(bar(1)[:20], 1.0, whole=False)
    stamper(bar(1), 2.0, whole=False)
    stamper(LOGS[0], 2.5, whole=False)
    stamper(bar(1), 3.0)
    stamper(LOGS[0], 3.5)
    stamper(BEGUN.format(8), 4.0, whole=False)
    stamper(BEGUN.format(8) + STATISTICS, 5.0)
    stamper(BEGUN.format(8), 6.0)
    stamper(BEGUN.format(8), 7.0, whole=False)
    stamper.close()
    found = [(each.at, each.what) for each in read(tmp_path / "stamps")]
    assert found == [(2, "step"), (3.5, "log"), (4, "begun"), (5, "engine"), (6, "begun"), (7, "begun")]


def test_cut_and_broken_stamps(tmp_path):
    learner, _ = a_run()
    file = tmp_path / "stamps"
    whole = written(file, learner)
    text = file.read_text()
    for cut in random.Random(7).sample(range(len(text)), 40):
        file.write_text(text[:cut])
        assert read(file) == whole[: text.count("\n", 0, cut + 1)]
    file.write_text(text.replace('"at": 100.0', '"at": "noon"'))
    assert read(file) == []
    assert read(tmp_path / "none") == []


def test_disk_that_is_full_is_told_once():
    told = []
    stamper = Stamper(Path("/dev/full"), told.append)
    for step in range(3):
        stamper(bar(step), 1.0)
    assert [error.strerror for error in told] == ["No space left on device"]
