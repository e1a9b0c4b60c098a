"""Reports: what takes the time is named, of runs of launchers and of ms-swift alone."""

import json
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from launch.cli import main
from tests.launch.timing.runs import LOGS
from tests.launch.timing.runs import SERVER
from tests.launch.timing.runs import launched
from tests.launch.timing.test_stamps import STATISTICS


@pytest.fixture
def folder(tmp_path):
    """Makes the folder of a run; see `launched`."""
    return lambda made_of=None, **parts: launched(tmp_path, made_of, **parts)


def flat(text):
    """A text without its line breaks, for findings are wrapped."""
    return " ".join(text.split())


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
    assert "learner: waits 30% of the time" in lines
    assert "The learner takes 6.00 of 10.00 s per step (60%): 8 micro-steps of 0.75 s, of 2 completions" in flat(
        out
    )
    assert "try per_device_train_batch_size 4: 4 micro-steps, if memory allows it; `rollout-split plan" in flat(
        out
    )
    assert all(len(line) < 100 for line in lines if line.startswith(("  learner  ", "  server   ")))


def lengths(mean, longest):
    return LOGS[1].replace("12.5", f"{mean}, 'completions/max_length': {longest}")


#: Statistics without preemptions.
QUEUE = STATISTICS.replace("Preemptions: 2, ", "")
#: The same of an engine that has room.
FEW = QUEUE.replace("Running: 29 reqs, Waiting: 3", "Running: 5 reqs, Waiting: 0").replace("97.5", "7.5")


def in_each_step(line):
    """A line of the server in each of four steps of 16 s."""
    return [(112.0 + 16 * step, line) for step in range(4)]


GPU = '{{"at": {}, "what": "gpu", "logged": {{"use": {}, "used_gib": 29.3, "total_gib": 79.6}}}}\n'


@pytest.mark.parametrize(
    ("made_of", "parts", "name", "said"),
    [
        ({}, {"rollout": 20.0}, "rollout", "about max(20.00, 6.00) + 1.00 = 21.00 s per step"),
        ({"async_generate": True}, {"rollout": 20.0, "overlapped": True}, "rollout", "give the server more GPUs"),
        (
            {"async_generate": True, "max_completion_length": 2048},
            {"rollout": 8.0, "overlapped": True, "more": in_each_step(FEW)},
            "rollout",
            "(2048 now): more GPUs would gain little, because an engine has 5 completions at once",
        ),
        ({"micro_steps": 1}, {"learn": 30.0}, "learner", "give the learner more GPUs"),
        ({}, {"sync": 5.0}, "sync", "Weight sync takes 5.00 of 14.00 s per step (36%)"),
        ({}, {"prepare": 5.0, "buckets": 18}, "prepare", "Before the weights move, a step takes 5.00 of 15.00 s"),
        (
            {},
            {"rollout": 9.0, "log": lengths(100, 1000)},
            "longest-completion",
            "a rollout ends with its longest one: 1000 tokens, where the mean is 100.",
        ),
        (
            {"max_completion_length": 1024},
            {"rollout": 9.0, "log": lengths(100, 1000)},
            "longest-completion",
            "lower max_completion_length (1024 now)",
        ),
        (
            {},
            {"rollout": 9.0, "more": in_each_step(STATISTICS)},
            "kv-cache",
            "(56%): vLLM preempted 8 completions and computed them again",
        ),
        (
            {},
            {"rollout": 9.0, "more": in_each_step(QUEUE)},
            "kv-cache",
            "3 completions waited while the KV cache was 98% full",
        ),
        (
            {},
            {"rollout": 9.0, "more": in_each_step(QUEUE.replace("97.5", "7.5"))},
            "max-num-seqs",
            "raise vllm_max_num_seqs",
        ),
        (
            {"kv_tokens": 300, "engines": 1},
            {"rollout": 9.0},
            "kv-cache",
            "32 completions of 12 tokens for each engine are more than the 300 tokens of its KV cache",
        ),
        (
            {"rollout_gpus": 6, "engines": 6},
            {"learn": 60.0},
            "server-idle",
            "move GPUs to the learner: migrate-config --rollout-gpus 3 --train-gpus 5",
        ),
        (
            {"rollout_gpus": 6, "engines": 3},
            {"learn": 60.0},
            "server-idle",
            "move GPUs to the learner: migrate-config --rollout-gpus 2 --train-gpus 6",
        ),
        (
            {"old_log_probabilities": "num_iterations is 2"},
            {},
            "old-log-probabilities",
            "because num_iterations is 2.",
        ),
        (
            {"micro_steps": 9, "steps_per_generation": 18},
            {},
            "micro-steps",
            "try per_device_train_batch_size 6, steps_per_generation 6: 3 micro-steps, if memory allows it",
        ),
        ({"multi_turn": True}, {"rollout": 20.0}, "rollout", "give the server more GPUs"),
        (
            {"max_completion_length": 64},
            {"log": LOGS[1].replace("0.75", "1.0")},
            "clipped",
            "All completions are cut off at 64 tokens",
        ),
    ],
)
def test_what_takes_the_time_is_named(folder, made_of, parts, name, said):
    run = folder(made_of, **parts)
    assert said in flat(report(run)[1])
    found = json.loads(report(run, "--format", "json")[1])["findings"]
    assert name in [finding["name"] for finding in found]
    assert len(found) <= 3
    assert [finding["gain"] for finding in found] == sorted((each["gain"] for each in found), reverse=True)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (15, "but its GPUs work in only 15% of that: its CPU computes rewards, or encodes prompts and pictures."),
        (
            85,
            "4: 4 micro-steps, if memory allows it (29 of 80 GiB of its GPU are in use)",
        ),
        (
            95,
            "and its GPUs work in 95% of that: a larger batch would gain little. give the learner more GPUs",
        ),
    ],
)
def test_a_busy_cpu_is_told_apart_from_small_micro_steps(folder, use, said):
    run = folder()
    (run / "timings.jsonl").unlink()
    with (run / "stamps.jsonl").open("a") as file:
        file.write(GPU.format(119.0, use))
    lines = sorted((run / "stamps.jsonl").read_text().splitlines(), key=lambda line: json.loads(line)["at"])
    (run / "stamps.jsonl").write_text("\n".join(lines))
    code, out, _ = report(run)
    assert code == 0
    assert said in flat(out)
    assert f"its GPUs work {use}% while it learns, 29.3 of 80 GiB in use on one of them" in out


def test_evaluation_is_named(folder):
    run = folder()
    found = [json.loads(line) for line in (run / "timings.jsonl").read_text().splitlines()]
    for step in found:
        step |= {"other": 5.0, "seconds": 15.0}
    (run / "timings.jsonl").write_text("\n".join(map(json.dumps, found)))
    assert "Evaluation takes 15 s in all, 33% of the time." in report(run)[1]
    assert "e evaluates" in report(run)[1]


def test_a_run_without_its_servers_stamps(folder):
    run = folder({"rollout_gpus": 2, "engines": 2})
    (run / "timings.jsonl").unlink()
    (run.parent / "server/stamps.jsonl").unlink()
    code, out, _ = report(run)
    assert code == 0
    assert "missing: the server's stamps, which tell the parts of a step" in out
    assert "step         10.00 s" in out
    assert not {"learn", "sync", "micro-steps"} & set(out.split())


def test_json_and_latest(folder):
    learner = folder()
    (learner.parent / "latest-learner").symlink_to(learner.name)
    code, out, _ = report("latest", "--logs", learner.parent, "--format", "json")
    told = json.loads(out)
    assert (code, told["steps"], told["parts"]["learn"]["share"]) == (0, 4, pytest.approx(0.6, abs=0.01))
    assert told["waits"] == pytest.approx({"learner": 0.3, "server": 0.6}, abs=0.01)


def test_drawing_is_an_image(folder):
    """Each side's spans fill its lane, and each says how long it is."""
    code, out, _ = report(folder(), "--format", "svg")
    root = ET.fromstring(out)  # noqa: S314
    name = "{http://www.w3.org/2000/svg}"
    spans = [rect for rect in root.iter(f"{name}rect") if rect.find(f"{name}title") is not None]
    for top in ("48.0", "84.0"):
        lane = [rect for rect in spans if rect.get("y") == top]
        assert sum(float(rect.attrib["width"]) for rect in lane) == pytest.approx(780, abs=1)
    assert {rect.find(f"{name}title").text for rect in spans} == {
        "works for 6.00 s",
        "waits for 6.00 s",
        "waits for 3.00 s",
        "works for 3.00 s",
        "syncs weights for 1.00 s",
    }
    assert code == 0


def test_run_whose_launcher_was_killed(folder):
    learner = folder()
    whole = report(learner)
    (learner / "timings.jsonl").unlink()
    assert report(learner) == whole


@pytest.mark.parametrize(
    "what", ["no folder", "a server's", "no step", "no time", "no plan", "broken plan", "a server's log"]
)
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
    if what == "broken plan":
        (learner / "plan.json").write_text('{"side": "learner", "steps_are_made_of": {"micro_steps": 0}}')
    log = ["--server-log", learner / "stamps.jsonl"] if what == "a server's log" else []
    code, out, err = report(learner.parent / "none" if what == "no folder" else learner, *log)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


#: Lines of logging.jsonl as ms-swift writes them: 4.6.0 seconds a step, 3.10.0 steps a second.
NEWER = {"completions/mean_length": 12.5, "elapsed_time": "1m 40s", "train_speed(s/it)": 10.0}
OLDER = {"completions/mean_length": 12.5, "elapsed_time": "1m 40s", "train_speed(iter/s)": 0.1}


@pytest.fixture
def output(tmp_path):
    """Makes ms-swift's output folder of a run that logged after some steps."""

    def output(lines, **arguments):
        (tmp_path / "logging.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        (tmp_path / "args.json").write_text(json.dumps(arguments))
        return tmp_path

    return output


@pytest.mark.parametrize(
    ("lines", "count", "seconds"),
    [
        ([{**NEWER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)], 3, 10),
        ([{**OLDER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)], 3, 10),
        (
            [
                {**NEWER, "global_step/max_steps": "1/9", "train_speed(s/it)": 30.0, "elapsed_time": "30s"},
                {**NEWER, "global_step/max_steps": "2/9", "train_speed(s/it)": 18.0, "elapsed_time": "36s"},
            ],
            2,
            6,
        ),
        # It went on from step 40.
        (
            [{**NEWER, "global_step/max_steps": f"{step}/90", "elapsed_time": "1m 40s"} for step in (49, 50)],
            10,
            10,
        ),
    ],
)
def test_a_run_that_no_launcher_started(output, lines, count, seconds):
    run = output(lines, global_world_size=2, per_device_train_batch_size=2, gradient_accumulation_steps=4)
    code, out, _ = report(run, "--format", "json")
    told = json.loads(out)
    assert (code, told["steps"]) == (0, count)
    assert told["parts"]["step"]["median"] == pytest.approx(seconds, abs=0.01)
    assert told["made_of"]["completions"] == 16
    assert set(told["parts"]) == {"step"}
    assert len(told["missing"]) == 2


def test_the_servers_log_of_such_a_run(output):
    run = output([{**NEWER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)])
    log = run / "server.log"
    log.write_text(f"GPU KV cache size: 1,000 tokens\n{SERVER.format('infer', 200)}\n{STATISTICS}\n")
    code, out, _ = report(run, "--server-log", log)
    assert code == 0
    assert "Completions wait for an engine: vLLM preempted 2 completions and computed them again." in flat(out)
    assert "server: KV cache at most 98% full, at most 29 completions at once, 3 waiting" in out
    assert report(run, "--server-log", run / "none")[0] == 2


def test_a_cut_log_of_such_a_run(output):
    run = output([{**NEWER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)])
    text = (run / "logging.jsonl").read_text()
    (run / "args.json").write_text('{"global_world_size": 2, "per_dev')
    (run / "logging.jsonl").write_text("warning: not JSON\n" + text[:-40])
    code, out, _ = report(run)
    assert code == 0
    assert ": 2 steps, 20.0 s" in out


@pytest.mark.parametrize(
    "changes",
    [
        {"train_speed(s/it)": float("nan")},
        {"train_speed(s/it)": 10**400},
        {"train_speed(s/it)": -5},
        {"train_speed(s/it)": True},
        {"train_speed(s/it)": "fast"},
        {"global_step/max_steps": "9" * 5000},
        {"completions/mean_length": [1], "train_speed(s/it)": 10.0},
        {"completions/mean_length": 10**400, "train_speed(s/it)": 10.0},
        {"elapsed_time": "9" * 5000 + "s"},
    ],
)
def test_odd_lines_of_such_a_run(output, changes):
    """They are left out, and what can be read is reported."""
    lines = [{**NEWER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)]
    run = output([*lines[:2], {**lines[2], **changes}])
    code, out, _ = report(run, "--format", "json")
    assert code == 0
    assert json.loads(out)["steps"] in (2, 3)
    assert "NaN" not in out


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe not text\n",
        b'{"number": 1, "begin": 1.0, "seconds": NaN}\n',
        b"[" * 100_000,
        b"",
    ],
)
def test_broken_timings_are_made_again_from_the_stamps(folder, text):
    run = folder()
    whole = report(run)
    (run / "timings.jsonl").write_bytes(text)
    assert report(run) == whole


def test_steps_of_which_one_line_is_broken(folder):
    run = folder()
    lines = (run / "timings.jsonl").read_text().splitlines(keepends=True)
    (run / "timings.jsonl").write_text(lines[0] + lines[1].replace("seconds", "minutes", 1) + lines[2])
    (run / "stamps.jsonl").unlink()
    code, out, _ = report(run)
    assert code == 0
    assert "missing: 2 lines of timings.jsonl that cannot be read" in out


def test_steps_that_are_not_alike(folder):
    """Two optimizer steps share a rollout: what a step takes is an average, for no single one is typical."""
    run = folder({"micro_steps": 4, "steps_per_generation": 8, "completions": 16})
    found = [json.loads(line) for line in (run / "timings.jsonl").read_text().splitlines()]
    for step in found[::2]:
        step |= {"rollout": 0.0, "seconds": 7.0}
    for step in found[1::2]:
        step |= {"rollout": 9.0, "seconds": 16.0}
    (run / "timings.jsonl").write_text("\n".join(map(json.dumps, [*found, {**found[0], "number": 5}])))
    out = flat(report(run)[1])
    assert "The learner waits for completions in 4.50 of 11.50 s per step (39%)." in out
    assert f"{16 * 12.5 / 11.5:.0f} tokens of completions a second" in out


def test_a_drawing_needs_parts(output):
    run = output([{**NEWER, "global_step/max_steps": f"{step}/9"} for step in (1, 2, 3)])
    code, out, err = report(run, "--format", "svg")
    assert (code, out) == (2, "")
    assert "cannot be drawn, because nothing tells the parts of its steps" in err


def test_secrets_of_a_model_are_starred(folder):
    out = report(folder({"model": "https://user:hunter2-is-long@host/model"}))[1]
    assert "hunter2" not in out


def test_nothing_is_said_of_a_learner_that_ends_before_the_rollout_does(folder):
    """A faster learner would only wait longer."""

    def told(seconds):
        run = folder({"async_generate": True}, rollout=seconds, overlapped=True)
        return [each["name"] for each in json.loads(report(run, "--format", "json")[1])["findings"]]

    assert (told(8.0), told(3.0)) == (["rollout"], ["micro-steps"])
