"""What a server's log and its answers prove about weights."""

import pytest

from launch.run import weights
from launch.run.codes import Code
from launch.run.logs import Tail

#: As ms-swift 4.6.0 on vLLM 0.32.0 logs it, shortened.
FAILED = """\
INFO:     127.0.0.1:40592 - "POST /update_flattened_params/ HTTP/1.1" 200 OK
[ERROR:swift] Method execution failed: collective_rpc
Traceback (most recent call last):
  File "swift/pipelines/infer/rollout.py", line 699, in llm_worker
    result = method(*args, **kwargs)
AttributeError: 'Parameter' object has no attribute 'weight_loader'

INFO:     127.0.0.1:40592 - "POST /reset_prefix_cache/ HTTP/1.1" 200 OK
""".splitlines()


def test_log_of_a_failed_load():
    assert [weights.is_failed_load(line) for line in FAILED].index(True) == 1
    assert sum(map(weights.is_failed_load, FAILED)) == 1
    assert [number for number, line in enumerate(FAILED) if weights.is_sync(line)] == [7]
    assert weights.traceback(FAILED[1:]) == FAILED[1:6]


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR:swift] Method execution failed: infer",
        "[ERROR:swift] Method execution failed: reset_mm_cache",
        'INFO:     127.0.0.1:40592 - "POST /reset_prefix_cache/ HTTP/1.1" 500 Internal Server Error',
    ],
)
def test_what_says_nothing_of_weights(line):
    assert not weights.is_failed_load(line)
    assert not weights.is_sync(line)


def test_long_traceback_keeps_its_ends():
    lines = weights.traceback(
        ["head", "Traceback", *(f"  line {number}" for number in range(100)), "ValueError: x"]
    )
    assert len(lines) == 40
    assert (lines[:3], lines[-1]) == (["head", "Traceback", "..."], "ValueError: x")


@pytest.mark.parametrize(
    ("before", "after", "syncs", "code", "said"),
    [
        ("a", "b", 3, None, "have changed"),
        ("a", "b", None, None, "have changed"),
        ("a", "a", 3, Code.WEIGHTS_STALE, None),
        ("a", "a", 0, Code.WEIGHTS_STALE, None),
        ("a", "a", None, Code.WEIGHTS_STALE, None),
        ("a", "a", 1, None, "before its second sync"),
        (None, "a", 3, None, "did not answer"),
        ("a", None, 3, None, "did not answer"),
    ],
)
def test_verdict(before, after, syncs, code, said):
    heard = []
    fault = weights.judge(before, after, syncs, heard.append)
    assert (fault and fault.code) == code
    assert said is None or said in heard[0]


def test_tail_gives_whole_lines_from_now_on(tmp_path):
    log = tmp_path / "log"
    tail = Tail(log)
    assert tail.new_lines() == []
    log.write_text("old\n")
    tail = Tail(log)
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.new_lines() == ["one"]
        file.write("o\n")
    assert tail.new_lines() == ["two"]
    log.unlink()
    assert tail.new_lines() == []
