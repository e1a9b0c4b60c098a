"""Runs for tests: what both sides print in steps of given parts, and the folders that launchers make of it."""

import json

from launch.timing import run as timings
from launch.timing.stamps import Stamper
from launch.timing.stamps import read

SERVER = 'INFO:     127.0.0.1:54278 - "POST /{}/ HTTP/1.1" {} OK'
#: What an engine draws when it begins completions, as many as are asked of it.
BEGUN = "  0%|          | 0/{} [00:00<?, ?it/s]"
#: As ms-swift 4.6.0 prints it with transformers 5, which makes texts of the numbers, and as 4.5.2 does with 4.57.
LOGS = [
    "{'loss': '0.0005', 'completions/mean_length': '12.5', 'completions/clipped_ratio': '0.75', 'reward': '0.2'}",
    "{'loss': 0.0005, 'completions/mean_length': 12.5, 'completions/clipped_ratio': 0.75, 'epoch': 0.1}",
]
MADE_OF = {"learners": 2, "per_device_train_batch_size": 2, "micro_steps": 8, "completions": 32}


def bar(step):
    return f"Train:  25%|██▌       | {step}/9 [00:03<00:09,  1.54s/it]"


def written(file, lines):
    """Writes lines, each at its second, as a launcher does while they pass."""
    faults = []
    stamper = Stamper(file, faults.append)
    for at, line in lines:
        stamper(line, at)
    stamper.close()
    assert not faults
    return read(file)


def a_run(count=4, *, overlapped=False, sync=1.0, rollout=3.0, learn=6.0, prepare=0.0, buckets=1, log=LOGS[0]):
    """What both sides print in a run of some steps with such parts, each with its second.

    With `overlapped` the first step makes its own completions, and then those of the second one meanwhile.
    """
    learner, server, now, made = [(100.0, bar(0))], [], 100.0, 0.0
    for step in range(1, count + 1):
        waits = step == 1 or not overlapped
        if not waits:
            now = max(now, made)
            server.append((made, SERVER.format("infer", 200)))
        start = now + prepare
        ends = [start + sync * 0.8 * part / buckets for part in range(1, buckets + 1)]
        server += [(at, SERVER.format("update_flattened_params", 200)) for at in ends]
        now = start + sync
        server.append((now, SERVER.format("reset_prefix_cache", 200)))
        if waits:
            now += rollout
            server.append((now, SERVER.format("infer", 200)))
        made = now + rollout
        now += learn
        learner += [(now, bar(step)), (now + 0.001, log), (now + 0.002, bar(step))]
    return learner, sorted(server)


def stamped(folder, learner, server):
    """The stamps of both sides, read as they were written."""
    return written(folder / "learner.stamps", learner), written(folder / "server.stamps", server)


def launched(home, made_of=None, more=(), **parts):
    """Writes the folders of a run as launchers do; returns the learner's.

    Args:
        home: where they are made.
        made_of: what differs from MADE_OF.
        more: lines of the server, each with its second, besides those of `a_run`.
        parts: for `a_run`.
    """
    learner, server = a_run(**parts)
    for side, lines in (("learner", learner), ("server", sorted([*server, *more]))):
        (home / side).mkdir(exist_ok=True)
        (home / side / "stamps.jsonl").unlink(missing_ok=True)
        written(home / side / "stamps.jsonl", lines)
    plan = {
        "side": "learner",
        "steps_are_made_of": {**MADE_OF, **(made_of or {})},
        "server_logs": str(home / "server"),
    }
    (home / "learner/plan.json").write_text(json.dumps(plan))
    timings.write(home / "learner", home / "server", overlapped=bool(parts.get("overlapped")))
    return home / "learner"
