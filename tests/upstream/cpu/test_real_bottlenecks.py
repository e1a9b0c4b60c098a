"""Bottlenecks that are planted in real runs on a CPU: the report names each."""

import json

import pytest

from launch.timing.findings import findings
from launch.timing.run import read
from tests.upstream.cpu.node import Node

#: The orders of planted.py, which only ms-swift's environment can import.
REWARD, SYNC, LONG, FULL = "PLANTED_REWARD", "PLANTED_SYNC", "planted-long", "planted-full"
RELEASES = pytest.mark.parametrize("release", ["4.6.0", "4.5.2"])
#: What the first finding says of each.
SAID = {"learner": "The learner takes ", "micro-steps": ": 16 micro-steps of ", "sync": "Weight sync takes "}
#: A completion may be as long as the engine's length allows.
LENGTH = 160


@pytest.fixture
def ordered(node):
    """Gives orders to the server, and takes them back."""
    orders = []

    def order(name):
        orders.append(node.home / name)
        orders[-1].touch()

    yield order
    for file in orders:
        file.unlink()


def report(node, faults, name, release, changes, **environment):
    """What is found in a run of a few steps."""
    preset = node.write("planted.yaml", max_steps=4, **changes)
    older = node.older() if release == "4.5.2" else {}
    ended = node.learner(preset=preset, **older, **environment).end()
    faults.judge(f"none: {name} is planted, {release}", node, ended, 0, "have changed")
    run = read(node.home / "logs/rollout-split/latest-learner")
    print(json.dumps([step._asdict() for step in run.steps]))
    print(*findings(run), sep="\n")
    return findings(run)


@RELEASES
@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("learner", {REWARD: "4"}),
        (
            "micro-steps",
            {"per_device_train_batch_size": 1, "effective_batch_size": 16, "generation_batch_size": 16},
        ),
        ("sync", {SYNC: "1"}),
    ],
)
def test_slow_learner(node, faults, release, name, planted):
    orders = {key: value for key, value in planted.items() if key.isupper()}
    changes = {key: value for key, value in planted.items() if key not in orders}
    first, *_ = report(node, faults, name, release, changes, **orders)
    assert first.name == name
    assert SAID[name] in first.what


@RELEASES
def test_one_long_completion(node, faults, ordered, release):
    ordered(LONG)
    first, *_ = report(node, faults, "longest-completion", release, {"max_completion_length": LENGTH})
    assert first.name == "longest-completion"
    assert f"its longest one: {LENGTH} tokens, where the mean is 43." in first.what


@pytest.fixture(scope="module")
def small(tmp_path_factory, model):
    """A node whose server has a KV cache for two completions."""
    place = Node(tmp_path_factory.mktemp("small"), model)
    kwargs = {"disable_log_stats": False, "num_gpu_blocks_override": 5}
    place.cache = {"vllm_engine_kwargs": kwargs}
    place.ready(place.server(preset=place.write("small.yaml", **place.cache))).until("a learner may start")
    (place.home / FULL).touch()
    place.keep()
    yield place
    place.close()


@RELEASES
def test_small_kv_cache(small, faults, release):
    changes = {"per_device_train_batch_size": 8, "effective_batch_size": 8, "generation_batch_size": 8}
    changes |= {"max_completion_length": LENGTH, **small.cache}
    first, *_ = report(small, faults, "kv-cache", release, changes)
    assert first.name == "kv-cache"


@pytest.mark.parametrize("tracker", ["wandb", "swanlab"])
def test_reward_functions_that_a_tracker_tells_apart(node, faults, tracker):
    orders = {REWARD: "4", "WANDB_MODE": "offline"}
    first, *_ = report(node, faults, "rewards", "4.6.0", {"report_to": [tracker]}, **orders)
    assert first.name == "rewards"
    assert first.what.startswith("The reward functions take 4.0")
