"""One optimizer step takes what it took before, for any number of learners before and after, in both layouts."""

import tempfile
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace

import yaml
from click.testing import CliRunner
from hypothesis import settings

from migrate.cli import main

FLAT = {
    "rlhf_type": "grpo",
    "model": "models/none",
    "dataset": "a.jsonl",
    "reward_funcs": "accuracy",
    "tuner_type": "full",
    "split_dataset_ratio": 0,
    "max_length": 1024,
    "max_completion_length": 512,
    "num_generations": 2,
    "use_vllm": True,
}
ADDRESS = {"vllm_server_host": "127.0.0.1", "vllm_server_port": 8080}
SERVER = {
    "model": "models/none",
    "max_length": 1024,
    "host": "127.0.0.1",
    "port": 8080,
    "vllm_max_model_len": 2048,
}
#: Calls of each test, and how many of them must not be refused, so that a test that tries nothing fails.
CALLS, FLOOR = settings().max_examples // 2, 0.25


def check_all(check):
    """Runs a check with numbers drawn from a seed; each says whether its call was written."""
    draw = Random(check.__name__)
    outcomes = []
    for _ in range(CALLS):
        numbers = {
            "per_device_train_batch_size": draw.choice([2, 4]),
            "gradient_accumulation_steps": draw.randint(1, 24),
        }
        numbers |= draw.choice([{}, {"steps_per_generation": draw.choice([2, 6, 12])}])
        with inside() as (folder, migrate):
            outcomes.append(check(folder, migrate, draw.randint(1, 8), draw.randint(1, 8), numbers))
    assert sum(outcomes) >= FLOOR * CALLS


@contextmanager
def inside():
    """A project of its own, and migrate-config."""

    def migrate(*args):
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr)

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text('[tool.rollout-split]\nswift-version = "4.5.2"\n')
        yield Path(folder), migrate


def written(folder, preset, **files):
    for name, content in {"x": preset, **files}.items():
        (Path(folder) / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def batch(preset, world):
    """Completions of one optimizer step, and of one rollout if a number of steps says it."""
    micro = preset["per_device_train_batch_size"] * world
    steps = preset.get("steps_per_generation")
    return micro * preset.get("gradient_accumulation_steps", 1), steps and micro * steps


def check(migrate, folder, before, after, *options, read=lambda preset: preset):
    """Migrates x.yaml, and compares the batch of `before` learners with that of `after`."""
    old = read(yaml.safe_load((folder / "x.yaml").read_text()))
    counts = [old.get("gradient_accumulation_steps", 1), old.get("steps_per_generation") or after]
    whole = all(count * before % after == 0 for count in counts)
    ran = migrate("--write", *options, folder / "x.yaml")
    assert ran.code == (0 if whole else 2), (old, before, after, ran)
    if whole:
        new = read(yaml.safe_load((folder / "x.yaml").read_text()))
        assert batch(new, after) == batch(old, before)
        assert idempotent(migrate("--check", *options, folder / "x.yaml"))
    else:
        assert "no whole" in ran.err
    return whole


def idempotent(again):
    """Whether a second call changes nothing, or says that nothing in a nested preset tells W."""
    return again.code == 0 or (again.code == 2 and "nothing in the preset says what W is" in again.err)


def test_flat_to_a_server():
    check_all(flat_to_a_server)


def flat_to_a_server(folder, migrate, before, after, numbers):
    divided = after < before  # ENV says how many GPUs there are
    variables = {"ENV": {"NPROC_PER_NODE": before}} if divided else {}
    rollout = before - after if divided else before
    written(folder, {**FLAT, "vllm_mode": "colocate", **numbers, **variables})
    world = before if divided else rollout + after
    return check(migrate, folder, world, after, "--rollout-gpus", rollout, "--train-gpus", after)


def test_flat_back_to_all_learners():
    check_all(flat_back)


def flat_back(folder, migrate, before, after, numbers):
    preset = {**FLAT, "vllm_mode": "server", **ADDRESS, **numbers, "ENV": {"NPROC_PER_NODE": before}}
    written(folder, preset, **{"x.rollout": SERVER})
    whole = check(migrate, folder, before, after, "--to", "colocate", "--train-gpus", after)
    assert not whole or said_world(folder) == after
    return whole


def said_world(folder):
    return yaml.safe_load((folder / "x.yaml").read_text()).get("ENV", {}).get("NPROC_PER_NODE")


def test_flat_split_again():
    check_all(flat_again)


def flat_again(folder, migrate, before, after, numbers):
    recorded = before % 2
    variables = {"ENV": {"NPROC_PER_NODE": before}} if recorded else {}
    written(folder, {**FLAT, "vllm_mode": "server", **ADDRESS, **numbers, **variables}, **{"x.rollout": SERVER})
    world = before if recorded else 2
    whole = check(migrate, folder, world, after, "--train-gpus", after)
    assert not whole or said_world(folder) == after
    return whole


def test_nested_to_a_server():
    check_all(nested_to_a_server)


def nested_to_a_server(folder, migrate, before, after, numbers):
    written(folder, nested(numbers, server=False))
    gpus = ["--rollout-gpus", before, "--train-gpus", after]
    return check(migrate, folder, before + after, after, *gpus, read=flattened)


def test_nested_back_to_all_learners():
    check_all(nested_back)


def nested_back(folder, migrate, before, after, numbers):
    written(folder, nested(numbers, server=True))
    return check(migrate, folder, 2, after, "--to", "colocate", "--train-gpus", after, read=flattened)


def nested(numbers, *, server):
    """A nested preset whose accumulation is said outright."""
    training = {"run_name": "r", "output_dir": "o", "logging_dir": "l", "num_train_epochs": 1}
    rates = dict.fromkeys(["learning_rate", "vit_lr", "aligner_lr"], 1e-5)
    rlhf = {name: FLAT[name] for name in ("rlhf_type", "num_generations", "use_vllm", "max_completion_length")}
    block = {"vllm_tensor_parallel_size": 1, "vllm_data_parallel_size": 6, "vllm_max_model_len": 2048}
    address = {"vllm_server_host": ["127.0.0.1"], "vllm_server_port": [8080]} if server else {}
    return {
        "global_max_length": 2048,
        "model": {"model": "models/none"},
        "template": {"template": "qwen3"},
        "tuner": {"tuner_type": "full"},
        "data": {"dataset": ["a.jsonl"]},
        "training": {**training, **rates, "eval_strategy": "no", **numbers},
        "rlhf": {**rlhf, "reward_funcs": ["accuracy"], "vllm_mode": "server" if server else "colocate", **address},
        "custom": {"extra": {"rollout_server": block}} if server else {"a": 1},
    }


def flattened(preset):
    return preset["training"] | preset["rlhf"]
