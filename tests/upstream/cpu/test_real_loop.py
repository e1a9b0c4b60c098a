"""A real rollout server and a real learner on a CPU: what a report says of them, and every way of failing."""

import json
import re
import signal
import subprocess
import time
from statistics import median

import pytest

from launch.timing.run import read
from tests.upstream.cpu.node import GREEDY
from tests.upstream.cpu.node import PROMPT
from tests.upstream.cpu.node import ROOT
from tests.upstream.cpu.node import SERVER
from tests.upstream.cpu.node import SIGNALS

#: Seconds by which a part may be off, and its share of a part.
OFF, SHARE = 0.2, 0.05
#: What the plugin calls a part, and what a step does.
PARTS = {"step": "seconds", "sync": "sync", "generate": "generating"}
#: When a learner is told to end, and the server can be used all the same.
PHASES = ("starts", "loads", "trains")


def learner_that(node, phase):
    """A learner that has come to a phase, and stays in it."""
    learner = node.learner(preset=node.endless, LEARNER_PAUSES=phase)
    learner.until("gpus  " if phase == "starts" else f"the learner pauses as it {phase}")
    return learner


@pytest.fixture(scope="module")
def weights(node):
    """What the server's weights answered before any learner came."""
    return node.greedy()


def test_server_answers(node, weights):
    assert node.ask("/get_world_size/") == (200, {"world_size": 1})
    status, replies = node.ask("/infer/", {"infer_requests": [PROMPT] * 3, "request_config": GREEDY})
    assert (status, len(replies)) == (200, 3)
    assert node.greedy() == weights


def test_steps_that_change_nothing(node, weights, faults):
    still = node.write("still.yaml", learning_rate=0.0)
    ended = node.learner(preset=still).end()
    assert node.greedy() == weights
    faults.judge("learner's weights do not change", node, ended, 86, "the server answers exactly as before")


def test_two_steps_reach_the_server(node, weights, faults):
    begun = time.monotonic()
    ended = node.learner().end()
    faults.judge("none: a learner of 2 steps", node, ended, 0, "the server's weights have changed")
    faults.ran("learner, 2 steps", time.monotonic() - begun)
    assert "'global_step/max_steps': '2/2'" in ended.said
    assert node.greedy() != weights


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("of two processes", {}),
        ("of two processes, async_generate", {"async_generate": True}),
    ],
)
def test_several_processes_learn(node, faults, what, changes):
    """On the server that one process learned with: how a learner divides its work is no setting of a server."""
    before = node.greedy()
    preset = node.write("several.yaml", per_device_train_batch_size=2, **changes)
    ended = node.learner(preset=preset, gpus="1,2").end()
    faults.judge(f"none: a learner {what}", node, ended, 0, "the server's weights have changed")
    assert "'global_step/max_steps': '2/2'" in ended.said
    assert node.greedy() != before


def truth(said):
    """The seconds of each part, by its name, in the order of the steps."""
    found = {}
    for name, seconds in re.findall(r"smoke-time (\w+) ([\d.]+)", said):
        found.setdefault(name, []).append(float(seconds))
    return found


@pytest.mark.parametrize(
    ("release", "overlapped"), [("4.6.0", False), ("4.6.0", True), ("4.5.2", False), ("4.5.2", True)]
)
def test_parts_are_those_of_the_run(node, faults, release, overlapped):
    """The first step is left out, as in a report: much of it is done only once."""
    preset = node.write("timed.yaml", max_steps=6, async_generate=overlapped)
    ended = node.learner(preset=preset, **(node.older() if release == "4.5.2" else {})).end()
    faults.judge(f"none: a timed learner, {release}, async_generate {overlapped}", node, ended, 0, "have changed")
    folder = node.home / "logs/rollout-split/latest-learner"
    took, run = truth((folder / "output.log").read_text(errors="replace")), read(folder)
    assert [step.number for step in run.steps] == [1, 2, 3, 4, 5, 6]
    if overlapped:
        took["generate"] = took["generate"][1:]  # the very first completions are those of the first step itself
    for name, part in PARTS.items():
        pairs = [(getattr(step, part), took[name][step.number - 1]) for step in run.steps[1:]]
        off = median(abs(mine - theirs) - SHARE * theirs for mine, theirs in pairs)
        assert off < OFF, f"{name}: {pairs}"
    accounted = sum(step.seconds for step in run.steps[1:]) / sum(took["step"][1:])
    assert accounted >= 0.98
    assert run.made_of.async_generate is overlapped
    assert all(step.logged["completions/mean_length"] > 0 for step in run.steps)
    report = [ROOT / ".venv/bin/rollout-split", "report", folder, "--format", "json"]
    assert json.loads(subprocess.run(report, check=True, capture_output=True).stdout)["steps"] == 6


@pytest.mark.parametrize(
    ("release", "code", "message"),
    [("4.5.2", 87, "completions of async_generate failed"), ("4.6.0", 1, "RuntimeError: Server 0")],
)
def test_completions_that_fail_as_the_learner_learns(node, faults, release, code, message):
    """Of six steps the second learns when those of the third fail; 4.5.2 would wait for them for ever."""
    preset = node.write("overlap.yaml", async_generate=True, max_steps=6)
    older = node.older() if release == "4.5.2" else {}
    learner = node.learner(preset=preset, ROLLOUT_FAILS="3", **older)
    learner.until("Inference task failed")
    faults.judge(f"completions fail, async_generate, ms-swift {release}", node, learner.end(), code, message)
    assert "'global_step/max_steps': '3/6'" not in learner.said
    assert node.ask("/health/") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("fault", "changes", "message"),
    [
        ("stale server: its settings differ", {"vllm_max_model_len": 300}, "its vllm_max_model_len is 256"),
        ("wrong world size", {"vllm_data_parallel_size": 2}, "its vllm_data_parallel_size is 1"),
    ],
)
def test_server_of_another_preset(node, faults, fault, changes, message):
    other = node.write("other.yaml", **changes)
    faults.judge(fault, node, node.learner(preset=other).end(), 1, message)


def test_port_of_a_server_that_serves(node, faults):
    ended = node.launch(SERVER, "gpus=2").end()
    faults.judge("second server on the port", node, ended, 1, f"port {node.port} is held by a server")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("number", SIGNALS)
def test_learner_is_told_to_end(node, faults, number, phase):
    ended = learner_that(node, phase).end(number)
    message = "gpus  " if phase == "starts" else "ending its processes"
    faults.judge(f"{number.name} to the learner's launcher as it {phase}", node, ended, SIGNALS[number], message)
    assert node.ask("/health/") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("what", "words", "expected"),
    [
        ("torchrun", "bin/torchrun", (137, "ending its processes")),
        ("the learner", "-u -m swift.cli.rlhf", (1, "exitcode  : -9")),
    ],
)
def test_learner_is_killed(node, faults, what, words, expected):
    """The server stays, and the next learner can use it."""
    ended = node.kill(words, signal.SIGKILL, learner_that(node, "trains"))
    faults.judge(f"SIGKILL to {what}", node, ended, *expected)
    assert node.ask("/health/") == (200, {"status": "ok"})


def test_the_launcher_of_the_learner_is_killed(node, faults):
    learner = learner_that(node, "trains")
    ended = learner.end(signal.SIGKILL)
    node.gone()
    ended = ended._replace(said=learner.said)
    faults.judge("SIGKILL to the learner's launcher", node, ended, -9, "the launcher was killed")


def test_the_next_learner_can_use_the_server(node, faults):
    faults.judge("none: the next learner", node, node.learner().end(), 0, "the server's weights have changed")


def test_a_learner_that_is_told_to_end_as_it_sends_weights(node, faults):
    """The server's worker waits for them: for five minutes here, for ever over NCCL."""
    ended = learner_that(node, "sends weights").end(signal.SIGTERM)
    message = "the rollout server is left behind: it answers /health/, but generates nothing"
    faults.judge("SIGTERM to the learner's launcher as it sends weights", node, ended, 143, message)
    ended = node.learner("wait_timeout=5").end()
    faults.judge("the next learner", node, ended, 1, "restart the server")
