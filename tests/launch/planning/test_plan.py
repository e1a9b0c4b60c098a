"""Plans of presets: what is listed, what fits, what comes first, and what a person is told."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner

from launch.cli import main
from schema import check
from schema.audit import Audit
from schema.resolve import Workspace
from schema.split.gpus import Gpus
from tests.launch.timing.runs import launched
from tests.launch.timing.test_report import lengths

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "tests/schema/shape/configs"
SUMMARY = "configs/train/grpo/summary_1024.yaml"


@pytest.fixture
def preset(tmp_path):
    """Copies the shipped presets, with a checkpoint of which only config.json is there; returns a changed one."""

    def preset(kind="qwen3-vl-4b", base=SUMMARY, **changes):
        shutil.copytree(ROOT / "configs", tmp_path / "configs", dirs_exist_ok=True)
        folder = tmp_path / "checkpoint"
        folder.mkdir(exist_ok=True)
        shutil.copy(CONFIGS / f"{kind}.json", folder / "config.json")
        file = tmp_path / "mine.yaml"
        data = {"extends": base, "model": {"model": str(folder)}, **changes}
        file.write_text(yaml.safe_dump(data))
        return file

    return preset


def plan(*args):
    result = CliRunner().invoke(main, ["plan", *map(str, args)])
    return result.exit_code, result.stdout, result.stderr


def plans(*args):
    code, out, err = plan(*args, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_the_shipped_preset(preset):
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 80)
    own = told["plans"][told["own"]]
    assert (own["mode"], own["rollout_gpus"], own["train_gpus"], own["per_device_train_batch_size"]) == (
        "server",
        6,
        2,
        2,
    )
    assert own["valid"]
    assert own["server"]["kv_tokens"] == pytest.approx(265_856, rel=0.03)
    assert told["parameters"] == 4_437_815_808
    assert told["best"] == 0
    kinds = {(each["mode"], each["rollout_gpus"], each["train_gpus"]) for each in told["plans"]}
    # 3, 5, 6 and 7 learners do not divide 32 completions.
    assert kinds == {("colocate", 8, 8), *(("server", 8 - learn, learn) for learn in (1, 2, 4))}


def test_every_plan_is_one_that_ms_swift_takes(preset):
    """The rules about batches, which real ms-swift has confirmed, find nothing in a preset that says the plan."""
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 141)["plans"]
    assert len(told) > 60
    for each in told[::5]:
        if each["mode"] != "server":
            continue
        file = preset(
            training={"per_device_train_batch_size": each["per_device_train_batch_size"]},
            rlhf={"async_generate": each["async_generate"]},
        )
        workspace = Workspace()
        options = check.Options(Gpus(each["rollout_gpus"]), Gpus(each["train_gpus"]))
        found = Audit(workspace, options).findings(check.context(workspace, check.load(workspace, file), options))
        batch = [finding for finding in found if finding.is_error and "batch" in finding.rule]
        assert not batch, (each, batch)


def test_splits_that_only_another_batch_allows(preset):
    """Of eight GPUs 3, 5, 6 and 7 may learn, from completions that they share evenly in whole groups of 4."""
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 141)["other_batches"]
    assert {each["train_gpus"]: each["completions"] for each in told} == {3: 36, 5: 40, 6: 36, 7: 28}
    for each in told:
        size = each["per_device_train_batch_size"] * each["train_gpus"] * each["gradient_accumulation_steps"]
        assert size == each["completions"]
    assert "with another effective batch" in plan(preset(), "--gpus", 8, "--gpu-memory", 141)[1]


def test_what_does_not_fit_comes_last(preset):
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 24)["plans"]
    verdicts = [each["learner"]["fits"] for each in told if each["valid"]]
    assert "no" in verdicts
    assert verdicts == sorted(verdicts, key=["yes", "close", "no"].index)


def test_an_engine_without_room(preset):
    told = plans(preset(kind="qwen3-30b-a3b"), "--gpus", 4, "--gpu-memory", 80)["plans"]
    fits = {(each["mode"], each["tensor_parallel"]): each["server"]["fits"] for each in told}
    assert fits["server", 1] is False
    assert fits["server", 2] is True


def test_seconds_are_estimated_where_no_run_tells_them(preset):
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 80)
    known = told["calibration"]
    assert (known["analytic"], known["runs"], known["device"]) == (True, [], "H100")
    assert known["factors"] == {"host": 1, "gpu": 1, "rollout": 1, "around": 1}
    for each in told["plans"]:
        step = each["step"]
        assert (step["low"], step["high"]) == pytest.approx((0.65 * step["seconds"], 1.35 * step["seconds"]))
    seconds = [each["step"]["seconds"] for each in told["plans"] if each["learner"]["fits"] == "yes"]
    assert seconds == sorted(seconds)
    _, out, _ = plan(preset(), "--gpus", 8, "--gpu-memory", 80)
    assert "seconds: estimated for H100, no run measured, for prompts of 6144 tokens" in out


def test_shorter_prompts_take_less_time(preset):
    node = "--gpus", 8, "--gpu-memory", 80
    long, short = (plans(preset(), *node, "--prompt-tokens", count)["plans"][0] for count in (6144, 512))
    assert short["step"]["seconds"] < 0.5 * long["step"]["seconds"]


def test_seconds_of_a_gpu_that_is_not_known(preset, tmp_path):
    node = "--gpus", 8, "--gpu-memory", 64
    told = plans(preset(), *node)
    assert told["calibration"] is None
    assert all(each["step"] is None for each in told["plans"])
    _, out, _ = plan(preset(), *node)
    assert "seconds are not known, because no GPU of 64 GiB is known here: pass --runs FOLDER" in out
    assert plans(preset(), *node, "--runs", runs(tmp_path))["plans"][0]["step"]


def nvidia_smi(tmp_path, monkeypatch, *names):
    """Puts an nvidia-smi first that tells of GPUs of 81,559 MiB."""
    script = tmp_path / "bin/nvidia-smi"
    script.parent.mkdir(exist_ok=True)
    cells = "".join(f"{number}, GPU-{number}, 3, 81559\\n" for number in range(len(names)))
    named = "".join(f"{name}\\n" for name in names)
    script.write_text(
        f"#!/bin/sh\ncase $1 in *=name) printf '{named}' ;; --query-gpu*) printf '{cells}' ;; esac\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("names", "device"),
    [
        (["NVIDIA H100 80GB HBM3"] * 2, "H100"),
        (["NVIDIA A100-SXM4-80GB"] * 2, "A100-SXM4-80GB"),
        (["NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB"], None),
        (["NVIDIA T9000"] * 2, None),
    ],
)
def test_the_gpus_of_this_machine_have_names(preset, tmp_path, monkeypatch, names, device):
    nvidia_smi(tmp_path, monkeypatch, *names)
    known = plans(preset())["calibration"]
    assert (known and known["device"]) == device


def runs(tmp_path, **parts):
    made_of = {"rollout_gpus": 6, "engines": 6, "steps_per_generation": 8, "max_completion_length": 64}
    return launched(tmp_path, made_of, log=lengths(40, 64), **parts)


def test_runs_tell_seconds(preset, tmp_path):
    told = plans(preset(), "--gpus", 8, "--gpu-memory", 141, "--runs", runs(tmp_path))
    assert (told["calibration"]["analytic"], told["calibration"]["runs"]) == (False, ["learner"])
    own = told["plans"][told["own"]]
    assert own["step"]["seconds"] == pytest.approx(10, abs=0.1)
    assert own["step"]["low"] < 10 < own["step"]["high"]
    assert own["tokens_per_second"] == pytest.approx(32 * 40 / 10, rel=0.02)
    seconds = [each["step"]["seconds"] for each in told["plans"] if each["learner"]["fits"] == "yes"]
    assert seconds == sorted(seconds)


def test_padding_that_is_left_out_saves_time_with_large_batches(preset, tmp_path):
    """The longest completion of a rollout is not in each micro-step, but in more of them, the larger they are."""
    run = launched(tmp_path, {"rollout_gpus": 6, "engines": 6, "steps_per_generation": 8}, log=lengths(600, 2000))
    asked = ("--gpus", 2, "--gpu-memory", 141, "--runs", run)
    took = []
    for changes in ({}, {"template": {"padding_free": True}}):
        told = plans(preset(**changes), *asked)["plans"]
        took.append([each["step"]["learn"] for each in told if each["per_device_train_batch_size"] == 16])
    assert took[0]
    assert all(one > other for one, other in zip(*took, strict=True))


@pytest.mark.parametrize(
    ("version", "vit", "is_on"),
    [
        ("4.5.2", None, True),
        ("4.5.2", False, False),
        ("4.5.3", None, False),
        ("4.5.3", True, True),
        ("4.1.0", None, False),
    ],
)
def test_checkpointing_of_a_vit_turns_on_that_of_the_model(preset, version, vit, is_on):
    """As its learner needed no more memory without it on a GPU, with 4.5.2 (docs/gpu-runs.md)."""
    found = []
    for on in (True, False):
        file = preset(training={"gradient_checkpointing": on, "vit_gradient_checkpointing": vit})
        (file.parent / "pyproject.toml").write_text(f'[tool.rollout-split]\nswift-version = "{version}"\n')
        told = plans(file, "--gpus", 8, "--gpu-memory", 141)
        found.append(told["plans"][told["own"]]["learner"]["gib"])
    assert (found[0] == found[1]) is is_on


@pytest.mark.parametrize("length", [1e300, 1 << 30])
def test_runs_whose_numbers_cannot_be(preset, tmp_path, length):
    folder = launched(
        tmp_path, {"rollout_gpus": 6, "engines": 6, "steps_per_generation": 8}, log=lengths(length, 64)
    )
    code, out, err = plan(preset(), "--gpus", 8, "--gpu-memory", 141, "--runs", folder)
    assert (code, out) == (2, "")
    assert "no folder of --runs tells the parts of steps and the lengths of completions" in err


def test_a_person_sees_one_screen(preset, tmp_path):
    code, out, _ = plan(preset(), "--gpus", 8, "--gpu-memory", 141, "--runs", runs(tmp_path))
    lines = out.splitlines()
    assert code == 0
    assert len(lines) < 40
    assert any(line.startswith("own server          6      2   1      2      8") for line in lines)
    assert any(line.startswith("seconds: from learner (an unknown model with an unknown tuner)") for line in lines)
    told = any(line == "to get the first:" for line in lines)
    assert told != any(line.startswith("first  R0+L0") for line in lines)


def test_a_model_of_an_unknown_kind(preset, tmp_path):
    file = preset()
    (tmp_path / "checkpoint/config.json").write_text('{"model_type": "novel"}')
    code, out, _ = plan(file, "--gpus", 8, "--gpu-memory", 80)
    assert code == 0
    assert "missing: the parameters are not counted, because models of type novel are not known here" in out
    rows = [line for line in out.splitlines() if " server  " in line]
    assert len(rows) > 5
    assert all("not known" in row for row in rows)
    assert "seconds are not known, because the layers of the model are not known here: pass --runs FOLDER" in out
    node = "--gpus", 8, "--gpu-memory", 80, "--runs", runs(tmp_path)
    assert all(each["step"]["seconds"] > 0 for each in plans(file, *node)["plans"])


def test_own_batch_that_ms_swift_refuses_is_listed_all_the_same(preset):
    told = plans(preset(training={"per_device_train_batch_size": 3}), "--gpus", 8, "--gpu-memory", 80)
    own = told["plans"][told["own"]]
    assert not own["valid"]
    assert own["per_device_train_batch_size"] == 3
    assert told["own"] == len(told["plans"]) - 1


def test_several_turns_do_not_overlap(preset):
    told = plans(preset(rlhf={"multi_turn_scheduler": "math_tip_trick"}), "--gpus", 8, "--gpu-memory", 80)
    assert not any(each["async_generate"] for each in told["plans"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--gpus", 8], "pass --gpu-memory GIB"),
        (["--gpus", 8, "--gpu-memory", 80, "--runs", "none"], "none is no folder of a start"),
        (["--gpus", 0, "--gpu-memory", 80], "--gpus"),
        (["--gpus", 65, "--gpu-memory", 80], "--gpus"),
        (["--gpus", 8, "--gpu-memory", "nan"], "'nan' is not a number of GiB, such as 80"),
        (["--gpus", 8, "--gpu-memory", -1], "'-1' is not a number of GiB"),
    ],
)
def test_wrong_usage(preset, monkeypatch, args, message):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    code, out, err = plan(preset(), *args)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rlhf": {"use_vllm": False, "vllm_mode": None}}, "does not generate with vLLM"),
        ({"rlhf": {"temperature": "hot"}}, "has errors; run `validate-config` on it"),
    ],
)
def test_presets_that_cannot_be_planned(preset, changes, message):
    code, out, err = plan(preset(**changes), "--gpus", 8, "--gpu-memory", 80)
    assert (code, out) == (2, "")
    assert message in err


def test_without_the_checkpoint_the_ways_to_divide_are_listed(preset):
    code, out, _ = plan(preset(model={"model": "Qwen/Qwen3-VL-4B"}), "--gpus", 8, "--gpu-memory", 80)
    assert code == 0
    assert "missing: memory and seconds, because Qwen/Qwen3-VL-4B/config.json is not here, or is no JSON" in out
    assert any(line.startswith("own server          6      2   1      2      8") for line in out.splitlines())
    assert "to get the first" not in out


@pytest.mark.parametrize(
    "config", ['{"num_hidden_layers": "x"}', "[1]", '{"text_config": 5}', "[" * 9000, '{"layer_types": 1}']
)
def test_a_checkpoint_s_config_may_say_anything(preset, tmp_path, config):
    file = preset()
    (tmp_path / "checkpoint/config.json").write_text(config)
    code, out, _ = plan(file, "--gpus", 8, "--gpu-memory", 80)
    assert code == 0
    assert "missing: " in out


def test_the_node_is_drawn_gpu_by_gpu(preset):
    _, out, _ = plan(preset(), "--gpus", 8, "--gpu-memory", 80)
    assert "own R0 R1 R2 R3 R4 R5 L0 L1" in [" ".join(line.split()) for line in out.splitlines()]
    assert "GPU    0" not in plan(preset(), "--gpus", 32, "--gpu-memory", 80)[1]


def test_an_image_of_the_node(preset, tmp_path):
    code, out, _ = plan(preset(), "--gpus", 8, "--gpu-memory", 80, "--runs", runs(tmp_path), "--format", "svg")
    assert code == 0
    root = ET.fromstring(out)  # noqa: S314 - our own image
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "engine's weights: 8.3 GiB" in titles
    assert "0: R0" in words
    assert "own: 6 + 2, TP 1, batch 2" in words
    # Nothing is drawn outside of the image.
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        if "x" in box.attrib:
            left, top, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
            assert left + width <= 960
            assert top + height <= float(root.attrib["height"])
            assert height >= 0


def block(**changes):
    return {"custom": {"extra": {"rollout_server": changes}}}


@pytest.mark.parametrize(
    ("gib", "message", "fix"),
    [
        (14, "8.1 of 14.0 GiB, is less than it needs before it has a KV cache", "_utilization to 0.9"),
        (9, "is less than it needs before it has a KV cache", "raise vllm_tensor_parallel_size"),
        (20, "tokens, and one sequence may have 8,192 (weights 8.3 GiB", "_utilization to 0.6"),
    ],
)
def test_an_engine_that_will_not_start(preset, gib, message, fix):
    told = plans(preset(), "--gpus", 8, "--gpu-memory", gib, "--prompt-tokens", 10)
    found = [each for each in told["findings"] if "engine" in each["message"]]
    assert len(found) == 1
    assert message in found[0]["message"]
    assert fix in found[0]["fix"]
    assert found[0]["file"].endswith("summary_1024.yaml")


def test_a_larger_share_as_it_is_told_is_enough(preset):
    node = "--gpus", 8, "--gpu-memory", 20
    share = float(plans(preset(), *node)["findings"][0]["fix"].split()[3])
    for less, enough in ((0.0, True), (0.03, False)):
        told = plans(preset(**block(vllm_gpu_memory_utilization=round(share - less, 2))), *node)
        assert told["plans"][told["own"]]["server"]["fits"] is enough


def test_a_learner_that_will_not_fit_where_prompts_are_long(preset):
    node = "--gpus", 8, "--gpu-memory", 24
    (found,) = plans(preset(), *node)["findings"]
    assert "if prompts have 6144 tokens; prompts of at most about " in found["message"]
    longest = int(found["message"].split("at most about ")[1].split()[0])
    assert plans(preset(), *node, "--prompt-tokens", longest)["findings"] == []
    assert plans(preset(), *node, "--prompt-tokens", longest + 1)["findings"]
    assert "\nown plan: " in plan(preset(), *node)[1]


def test_engines_without_work(preset):
    file = preset(
        training={"effective_batch_size": 4, "per_device_train_batch_size": 2},
        rlhf={"generation_batch_size": 4, "steps_per_generation": None},
    )
    told = plans(file, "--gpus", 8, "--gpu-memory", 141, "--prompt-tokens", 500)
    (found,) = told["findings"]
    assert found["message"] == "a rollout has 4 completions, and there are 6 engines"


def test_rows_that_gain_nothing_are_left_out(preset):
    """With prompts of 2,000 tokens the GPU is the limit, so a larger batch is no faster."""
    _, out, _ = plan(preset(), "--gpus", 8, "--gpu-memory", 80, "--prompt-tokens", 2000)
    rows = [line.split() for line in out.splitlines() if line.startswith("    server          4      4")]
    assert [(row[4], row[6]) for row in rows] == [("2", "yes"), ("2", "no")]


def test_a_terminal_without_utf_8_is_sent_none(preset):
    file = preset()
    odd = file.rename(file.with_name("ä.yaml"))
    command = Path(sys.executable).parent / "rollout-split"
    words = [command, "plan", odd, "--gpus", "8", "--gpu-memory", "80"]
    ran = subprocess.run(words, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=True)
    assert "\\xe4.yaml" in ran.stdout.decode("ascii")
