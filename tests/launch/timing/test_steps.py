"""Steps: from stamps to where the seconds went."""

import pytest

from launch.timing.steps import steps
from tests.launch.timing.runs import BEGUN
from tests.launch.timing.runs import LOGS
from tests.launch.timing.runs import SERVER
from tests.launch.timing.runs import a_run
from tests.launch.timing.runs import bar
from tests.launch.timing.runs import stamped

EVALUATES = "Val: 100%|██████████| 4/4 [00:03<00:00,  1.54it/s]"


def test_parts_that_follow_each_other(tmp_path):
    learner, server = stamped(tmp_path, *a_run())
    found = list(steps(learner, server, overlapped=False))
    assert [step.number for step in found] == [1, 2, 3, 4]
    for step in found:
        parts = step.wait, step.sync, step.rollout, step.learn, step.generating
        assert parts == pytest.approx((0, 1, 3, 6, 3), abs=0.01)
        assert step.seconds == pytest.approx(10, abs=0.01)
        assert step.logged == {"completions/mean_length": 12.5, "completions/clipped_ratio": 0.75}
        assert set(step.lines) == {"seconds", "sync", "rollout"}


@pytest.mark.parametrize("overlapped", [False, True])
def test_weights_in_several_requests_tell_when_the_sync_began(tmp_path, overlapped):
    learner, server = stamped(tmp_path, *a_run(overlapped=overlapped, prepare=0.5, buckets=18))
    for step in list(steps(learner, server, overlapped=overlapped))[1:-1]:
        assert (step.prepare, step.sync, step.learn) == pytest.approx((0.5, 1, 6), abs=0.01)
        assert {"prepare", "sync"} < set(step.lines)


@pytest.mark.parametrize(("rollout", "wait"), [(3.0, 0.0), (8.0, 2.0)])
def test_overlapped_parts(tmp_path, rollout, wait):
    learner, server = stamped(tmp_path, *a_run(overlapped=True, rollout=rollout))
    first, *others, _ = steps(learner, server, overlapped=True)
    assert (first.wait, first.sync, first.rollout, first.learn) == pytest.approx((0, 1, rollout, 6), abs=0.01)
    assert first.generating == pytest.approx(2 * rollout, abs=0.01)
    for step in others:
        parts = step.wait, step.sync, step.rollout, step.learn, step.generating
        assert parts == pytest.approx((wait, 1, 0, 6, rollout), abs=0.01)


def test_the_first_step_that_is_seen_is_not_always_the_first_of_the_run(tmp_path):
    """The bar of a run that goes on from a checkpoint jumps to its first step; completions were begun in that."""
    learner, server = a_run(overlapped=True)
    jumps = [(at, line) for at, line in learner if line != bar(1)]
    first = next(iter(steps(*stamped(tmp_path, jumps, server), overlapped=True)))
    assert first.number > 2
    assert (first.rollout, first.learn) == pytest.approx((0, 6), abs=0.01)


def test_weights_without_the_reset_that_ends_a_sync_tell_no_sync(tmp_path):
    learner, server = a_run(overlapped=True, buckets=18)
    server = [(at, line) for at, line in server if "reset_prefix_cache" not in line]
    for step in steps(*stamped(tmp_path, learner, server), overlapped=True):
        assert step.sync == 0


def test_completions_after_the_last_step_are_those_of_another_run(tmp_path):
    learner, server = a_run(overlapped=True)
    server.append((9_000.0, SERVER.format("infer", 200)))
    *_, last = steps(*stamped(tmp_path, learner, server), overlapped=True)
    assert last.generating == 0


def test_without_the_server_nothing_is_guessed(tmp_path):
    learner, _ = stamped(tmp_path, a_run()[0], [])
    for step in steps(learner, [], overlapped=False):
        assert (step.wait, step.sync, step.rollout, step.learn) == pytest.approx((0, 0, 0, 10), abs=0.01)
        assert set(step.lines) == {"seconds"}


def test_a_step_without_completions_only_learns(tmp_path):
    """Several optimizer steps use the completions of one rollout."""
    learner, server = a_run(2)
    server = [line for line in server if line[0] < 111]
    found = list(steps(*stamped(tmp_path, learner, server), overlapped=False))
    assert [step.learn for step in found] == pytest.approx([6, 10], abs=0.01)


@pytest.mark.parametrize(("bars", "rollout", "completions"), [(True, 3 + 2, 48), (False, 3, 0)])
def test_several_rollouts_in_one_step(tmp_path, bars, rollout, completions):
    """Of the second one only the engines' bars tell when it begins: two engines have half of it each."""
    learner = [(100.0, bar(0)), (120.0, bar(1))]
    server = [(101.0, SERVER.format("reset_prefix_cache", 200)), (104.0, SERVER.format("infer", 200))]
    server += [(112.0, SERVER.format("infer", 200))]
    if bars:
        begins = [(101.5, 12), (101.6, 12), (110.0, 12), (110.1, 12)]
        server = sorted([*server, *((at, BEGUN.format(count)) for at, count in begins)])
    (step,) = steps(*stamped(tmp_path, learner, server), overlapped=False)
    assert (step.sync, step.rollout, step.learn) == pytest.approx((1, rollout, 19 - rollout), abs=0.01)
    assert step.completions == completions


@pytest.mark.parametrize("overlapped", [False, True])
def test_evaluation_is_no_part_of_the_step(tmp_path, overlapped):
    """It comes between two steps, makes completions of its own, and moves the weights before them."""
    learner, server = a_run(3, overlapped=overlapped)
    end = next(at for at, line in learner if line == bar(2))
    late = 20.0
    learner = [(at if at < end + 0.01 else at + late, line) for at, line in learner]
    server = [(at if at <= end else at + late, line) for at, line in server]
    learner += [(end + 12, EVALUATES), (end + late, EVALUATES)]
    server += [(end + 11, SERVER.format("infer", 200)), (end + 19, SERVER.format("infer", 200))]
    *_, third = steps(*stamped(tmp_path, sorted(learner), sorted(server)), overlapped=overlapped)
    assert (third.other, third.sync, third.learn) == pytest.approx((20, 1, 6), abs=0.01)
    assert third.rollout == pytest.approx(0 if overlapped else 3, abs=0.01)


def test_a_line_of_several_steps_is_told_of_all(tmp_path):
    learner, server = a_run(6, log="nothing")
    lines = [(at + 0.003, LOGS[0]) for at, line in learner if line in (bar(2), bar(4)) and (at, line)]
    found = list(steps(*stamped(tmp_path, sorted([*learner, *lines[::2]]), server), overlapped=False))
    assert [bool(step.logged) for step in found] == [True] * 4 + [False] * 2


def test_steps_that_no_bar_shows_are_left_out(tmp_path):
    learner, server = a_run(5)
    learner = [line for line in learner if line[1] != bar(3)]
    found = list(steps(*stamped(tmp_path, learner, server), overlapped=False))
    assert [step.number for step in found] == [1, 2, 5]


def test_what_was_seen_around_a_step(tmp_path):
    learner, server = stamped(tmp_path, *a_run())
    gpu = type(learner[0])
    learner += [
        gpu(at, "gpu", None, {"use": use, "used_gib": 29, "total_gib": 80})
        for at, use in [(111.0, 0), (115.0, 40), (118.0, 60)]
    ]
    server += [gpu(112.0, "gpu", None, {"use": 90, "used_gib": 48.5, "total_gib": 80})]
    server += [
        gpu(at, "engine", None, {"waiting": waiting, "preemptions": 2}) for at, waiting in [(112.0, 3), (113.0, 1)]
    ]
    second = list(steps(sorted(learner), sorted(server), overlapped=False))[1]
    assert second.around == {
        "learner_gib": 29,
        "learner_total_gib": 80,
        "learner_use": 50,
        "server_gib": 48.5,
        "server_total_gib": 80,
        "server_use": 90,
        "waiting": 3,
        "preemptions": 4,
    }


def test_stamps_of_a_long_run(tmp_path):
    """Each step is looked up, not searched for."""
    learner, server = stamped(tmp_path, *a_run(2_000))
    assert sum(step.seconds for step in steps(learner, server, overlapped=False)) == pytest.approx(20_000, abs=1)
