"""A real rollout server and a real learner on a CPU, both started by their launchers."""

import time

import pytest


@pytest.fixture(scope="module")
def weights(node):
    """What the server's weights answered before any learner came."""
    return node.greedy()


def test_server_answers(node, weights):
    assert node.ask("/get_world_size/") == (200, {"world_size": 1})
    assert len(weights) == 4
    assert node.greedy() == weights


def test_two_steps_reach_the_server(node, weights, faults):
    begun = time.monotonic()
    ended = node.learner().end()
    assert ended.code == 0, ended.said[-3000:]
    faults.ran("learner, 2 steps", time.monotonic() - begun)
    assert "'global_step/max_steps': '2/2'" in ended.said
    assert node.greedy() != weights
    assert not node.left()
    assert node.ask("/health/") == (200, {"status": "ok"})
