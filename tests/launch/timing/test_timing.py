"""Stamps, steps and reports: from the lines that ms-swift prints to where the seconds went."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from launch.cli import main
from launch.timing import run as timings
from launch.timing.stamps import Stamper
from launch.timing.stamps import read
from launch.timing.stamps import stamp
from launch.timing.steps import steps

SERVER = 'INFO:     127.0.0.1:54278 - "POST /{}/ HTTP/1.1" {} OK'
#: As ms-swift 4.6.0 prints it with transformers 5, which makes texts of the numbers, and as 4.5.2 does with 4.57.
LOGS = [
    "{'loss': '0.0005', 'completions/mean_length': '12.5', 'completions/clipped_ratio': '0.75', 'reward': '0.2'}",
    "{'loss': 0.0005, 'completions/mean_length': 12.5, 'completions/clipped_ratio': 0.75, 'epoch': 0.1}",
]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (SERVER.format("infer", 200), "completions"),
        (SERVER.format("update_flattened_params", 200), "weights"),
        (SERVER.format("update_adapter_flattened_param", 200), "weights"),
        (SERVER.format("reset_prefix_cache", 200), "synced"),
        (SERVER.format("reset_encoder_cache", 200), "synced"),
        ("Train:  25%|██▌       | 2/8 [00:03<00:09,  1.54s/it]", "step"),
        ("Train:   0%|          | 0/8 [00:00<?, ?it/s]", "step"),
        ("Train:  25%|##5       | 2/8 [00:03<00:09,  1.54s/it]smoke-time sync 0.077", "step"),
        *((line, "log") for line in LOGS),
    ],
)
def test_lines_that_tell_of_time(line, what):
    found = stamp(line, 7.0)
    assert (found.at, found.what) == (7.0, what)
    assert found.step == (None if what != "step" else 2 if "2/8" in line else 0)
    assert what != "log" or found.logged == {"completions/mean_length": 12.5, "completions/clipped_ratio": 0.75}


@pytest.mark.parametrize(
    "line",
    [
        SERVER.format("infer", 500),
        SERVER.format("health", 200),
        "Map:  25%|██▌       | 2/8 [00:03<00:09,  1.54s/it]",
        "{'loss': 0.0005",
        "{'completions/mean_length': [1, 2]}",
        "{'completions/mean_length': " + "(" * 5000,
        "",
    ],
)
def test_other_lines(line):
    assert stamp(line, 7.0) is None


def written(file, lines):
    """Writes lines, each at its second, as a launcher does while they pass."""
    told = []
    stamper = Stamper(file, told.append)
    for at, line in lines:
        stamper(line, at)
    stamper.close()
    assert not told
    return read(file)


def test_bar_counts_when_it_is_drawn(tmp_path):
    """It has no end of its own: that comes with whatever is printed next."""
    stamper = Stamper(tmp_path / "stamps", print)
    stamper(bar(1)[:20], 1.0, whole=False)
    stamper(bar(1), 2.0, whole=False)
    stamper(LOGS[0], 2.5, whole=False)
    stamper(bar(1), 3.0)
    stamper(LOGS[0], 3.5)
    stamper.close()
    assert [(each.at, each.what) for each in read(tmp_path / "stamps")] == [(2.0, "step"), (3.5, "log")]


def bar(step):
    return f"Train:  25%|██▌       | {step}/9 [00:03<00:09,  1.54s/it]"


def a_run(count=4, *, overlapped=False, sync=1.0, rollout=3.0, learn=6.0, prepare=0.0, buckets=1):
    """What both sides print in a run of some steps with such parts, each with its second."""
    learner, server, now, made = [(100.0, bar(0))], [], 100.0, 100.0 + rollout
    for step in range(1, count + 1):
        if overlapped:
            now = max(now, made)
            server.append((made, SERVER.format("infer", 200)))
        start = now + prepare
        ends = [start + sync * 0.8 * part / buckets for part in range(1, buckets + 1)]
        server += [(at, SERVER.format("update_flattened_params", 200)) for at in ends]
        now = start
        server.append((now + sync, SERVER.format("reset_prefix_cache", 200)))
        made = now + sync + rollout
        if not overlapped:
            server.append((made, SERVER.format("infer", 200)))
        now = now + sync + learn + (0 if overlapped else rollout)
        learner += [(now, bar(step)), (now + 0.001, LOGS[0]), (now + 0.002, bar(step))]
    return learner, sorted(server)


def test_parts_that_follow_each_other(tmp_path):
    learner, server = a_run()
    learner, server = written(tmp_path / "learner", learner), written(tmp_path / "server", server)
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
    learner, server = a_run(overlapped=overlapped, prepare=0.5, buckets=18)
    learner, server = written(tmp_path / "learner", learner), written(tmp_path / "server", server)
    for step in list(steps(learner, server, overlapped=overlapped))[1:-1]:
        assert (step.prepare, step.sync, step.learn) == pytest.approx((0.5, 1, 6), abs=0.01)
        assert {"prepare", "sync"} < set(step.lines)


@pytest.mark.parametrize(("rollout", "wait"), [(3.0, 0.0), (8.0, 2.0)])
def test_overlapped_parts(tmp_path, rollout, wait):
    learner, server = a_run(overlapped=True, rollout=rollout)
    learner, server = written(tmp_path / "learner", learner), written(tmp_path / "server", server)
    for step in list(steps(learner, server, overlapped=True))[1:-1]:
        parts = step.wait, step.sync, step.rollout, step.learn, step.generating
        assert parts == pytest.approx((wait, 1, 0, 6, rollout), abs=0.01)


def test_without_the_server_nothing_is_guessed(tmp_path):
    learner, _ = a_run()
    for step in steps(written(tmp_path / "learner", learner), [], overlapped=False):
        assert (step.wait, step.sync, step.rollout, step.learn) == pytest.approx((0, 0, 0, 10), abs=0.01)
        assert set(step.lines) == {"seconds"}


def test_a_step_without_completions_only_learns(tmp_path):
    """Several optimizer steps use the completions of one rollout."""
    learner, server = a_run(2)
    server = [line for line in server if line[0] < 111]
    found = list(steps(written(tmp_path / "l", learner), written(tmp_path / "s", server), overlapped=False))
    assert [step.learn for step in found] == pytest.approx([6, 10], abs=0.01)


def test_cut_and_broken_stamps(tmp_path):
    learner, _ = a_run()
    file = tmp_path / "stamps"
    whole = written(file, learner)
    text = file.read_text()
    for cut in random.Random(7).sample(range(len(text)), 40):
        file.write_text(text[:cut])
        assert read(file) == whole[: text.count("\n", 0, cut + 1)]
    assert read(tmp_path / "none") == []


@pytest.fixture
def folder(tmp_path):
    """The folders of a run, whose learner's launcher wrote what it writes."""

    def folder(made_of=None, **parts):
        for side, lines in zip(("learner", "server"), a_run(**parts), strict=True):
            (tmp_path / side).mkdir(exist_ok=True)
            (tmp_path / side / "stamps.jsonl").unlink(missing_ok=True)
            written(tmp_path / side / "stamps.jsonl", lines)
        usual = {"learners": 2, "per_device_train_batch_size": 2, "micro_steps": 8, "completions": 32}
        made_of = {**usual, **(made_of or {})}
        plan = {"side": "learner", "steps_are_made_of": made_of, "server_logs": str(tmp_path / "server")}
        (tmp_path / "learner/plan.json").write_text(json.dumps(plan))
        overlapped = bool(parts.get("overlapped"))
        timings.write(tmp_path / "learner", tmp_path / "server", overlapped=overlapped)
        return tmp_path / "learner"

    return folder


def report(*args):
    result = CliRunner().invoke(main, ["report", *map(str, args)])
    return result.exit_code, result.stdout, result.stderr


def test_report(folder):
    code, out, _ = report(folder())
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "learner: 4 steps, 40.0 s"
    assert "sync          1.00 s    1.00 s    10%" in lines
    assert "rollout       3.00 s    3.00 s    30%" in lines
    assert "step         10.00 s   10.00 s   100%" in lines
    assert "40 tokens of completions a second" in lines
    assert "The learner takes 6.00 of 10.00 s per step (60%): 8 micro-steps of 0.75 s, of 2 completions" in out
    assert "    try per_device_train_batch_size 4: 4 micro-steps, if memory allows it" in lines
    assert all(len(line) < 100 for line in lines if line.startswith(("  learner  ", "  server   ")))


@pytest.mark.parametrize(
    ("made_of", "parts", "said"),
    [
        (
            {},
            {"rollout": 20.0},
            "would overlap both: about max(20.00, 6.00) + 1.00 = 21.00 s per step",
        ),
        ({"async_generate": True}, {"rollout": 20.0, "overlapped": True}, "give the server more GPUs"),
        ({"micro_steps": 1}, {"learn": 30.0}, "give the learner more GPUs"),
        ({}, {"sync": 5.0}, "Weight sync takes 5.00 of 14.00 s per step"),
    ],
)
def test_what_takes_the_time_is_named(folder, made_of, parts, said):
    assert said in report(folder(made_of, **parts))[1]


def test_json_and_latest(folder):
    learner = folder()
    (learner.parent / "latest-learner").symlink_to(learner.name)
    code, out, _ = report("latest", "--logs", learner.parent, "--format", "json")
    said = json.loads(out)
    assert (code, said["steps"], said["parts"]["learn"]["share"]) == (0, 4, pytest.approx(0.6, abs=0.01))


def test_run_whose_launcher_was_killed(folder):
    learner = folder()
    whole = report(learner)
    (learner / "timings.jsonl").unlink()
    assert report(learner) == whole


@pytest.mark.parametrize("what", ["no folder", "a server's", "no step", "no time", "no plan"])
def test_what_is_no_run(folder, what):
    learner = folder()
    if what == "a server's":
        (learner / "plan.json").write_text('{"side": "server"}')
    if what == "no step":
        (learner / "timings.jsonl").unlink()
        (learner / "stamps.jsonl").write_text("")
    if what == "no time":
        (learner / "timings.jsonl").unlink()
        (learner / "stamps.jsonl").write_text(
            "".join(f'{{"at": 1.0, "what": "step", "step": {n}}}\n' for n in (0, 1))
        )
    if what == "no plan":
        (learner / "plan.json").unlink()
    code, out, err = report(learner.parent / "none" if what == "no folder" else learner)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_disk_that_is_full_is_told_once(tmp_path):
    told = []
    stamper = Stamper(Path("/dev/full"), told.append)
    for step in range(3):
        stamper(bar(step), 1.0)
    assert [error.strerror for error in told] == ["No space left on device"]


def test_stamps_of_a_long_run(tmp_path):
    """Each step is looked up, not searched for."""
    learner, server = a_run(2_000)
    learner, server = written(tmp_path / "l", learner), written(tmp_path / "s", server)
    assert sum(step.seconds for step in steps(learner, server, overlapped=False)) == pytest.approx(20_000, abs=1)
