"""The batch rules against ms-swift's own arithmetic, over random numbers."""

import json
import re

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

PRESET = {
    "model": {"model": "m"},
    "template": {"template": "qwen3"},
    "custom": {"train_jsonl": "a"},
    "training": {
        "run_name": "a",
        "output_dir": "a",
        "logging_dir": "a",
        "num_train_epochs": 1,
        "learning_rate": 1.0,
        "vit_lr": 1.0,
        "aligner_lr": 1.0,
    },
    "data": {"dataset": ["a"], "val_dataset": ["a"]},
    "rlhf": {"rlhf_type": "grpo", "reward_funcs": ["accuracy"]},
}
TRAINING = st.fixed_dictionaries(
    {"per_device_train_batch_size": st.integers(1, 4)},
    optional={
        "per_device_eval_batch_size": st.integers(1, 8),
        "effective_batch_size": st.integers(1, 64),
        "gradient_accumulation_steps": st.integers(1, 8),
        "eval_strategy": st.sampled_from(["no", "steps"]),
    },
)
RLHF = st.fixed_dictionaries(
    {"num_generations": st.integers(1, 8)},
    optional={
        "num_generations_eval": st.integers(1, 8),
        "generation_batch_size": st.integers(1, 64),
        "steps_per_generation": st.integers(1, 8),
    },
)


def accepted(training, rlhf, world):
    """What ms-swift's _init_generation_batch_params says (4.5.2, rlhf_trainers/args_mixin.py:200-242).

    And the layout: effective_batch_size is made of whole micro-batches, and is what accumulation says.
    """
    micro = training["per_device_train_batch_size"] * world
    effective, accumulation = training.get("effective_batch_size"), training.get("gradient_accumulation_steps")
    if effective is not None and (effective % micro or accumulation not in (None, effective // micro)):
        return False
    accumulation = accumulation or (effective // micro if effective else 1)
    size, steps = rlhf.get("generation_batch_size"), rlhf.get("steps_per_generation")
    if size is not None and (size % micro or (steps is not None and size != micro * steps)):
        return False
    group = rlhf["num_generations"]
    size = size or micro * (steps or accumulation)
    evaluated = training.get("per_device_eval_batch_size", 1) * world
    evaluates = training.get("eval_strategy") != "no"
    return (
        group > 1 and not size % group and not (evaluates and evaluated % rlhf.get("num_generations_eval", group))
    )


@pytest.fixture
def check(validate, write):
    def check(training, rlhf, world):
        said = {"training": PRESET["training"] | training, "rlhf": PRESET["rlhf"] | rlhf}
        file = write("preset.yaml", json.dumps(PRESET | said))
        return validate(file, "--train-gpus", world, "--format", "json", "--swift-version", "4.5.2").findings

    return check


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRAINING, RLHF, st.sampled_from([1, 2, 2, 2, 3, 8]))
def test_numbers_pass_exactly_if_ms_swift_accepts_them(check, training, rlhf, world):
    assert (check(training, rlhf, world) == []) is accepted(training, rlhf, world)


FIX = re.compile(r"set (?P<name>\w+) to (?P<number>\d+)(, and remove (?P<also>\w+))?|remove (?P<gone>\w+)")
SECTIONS = {"per_device_eval_batch_size": "training", "effective_batch_size": "training"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRAINING, RLHF, st.sampled_from([1, 2, 2, 2, 3, 8]))
def test_following_the_fixes_mends_the_numbers(check, training, rlhf, world):
    said = {"training": dict(training), "rlhf": dict(rlhf)}
    for _ in range(8):
        found = check(**said, world=world)
        if not found:
            return
        fix = FIX.match(found[0]["fix"])
        for section in said.values():
            section.pop(fix["gone"] or fix["also"], None)
        if fix["name"]:
            said[SECTIONS.get(fix["name"], "rlhf")][fix["name"]] = int(fix["number"])
    pytest.fail(f"still found: {found}")
