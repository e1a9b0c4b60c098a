"""What a learner will need, beside what was measured."""

from statistics import mean

import pytest

from launch.sizing.learner import fit
from launch.sizing.learning import Learning
from launch.sizing.learning import trainable
from tests.launch.sizing import cases

ALL = ("llm", "vit", "aligner")
QWEN3_VL_4B = cases.model("qwen3-vl-4b")
DORA = Learning(2, 470, 512, rank=32, dora=True, trained=ALL, patches=784)
RESERVED = "reserved_gib"
#: What a line may say that was measured, and what predicts it.
MEASURES = {"allocated_gib": "held_gib", RESERVED: RESERVED, "used_gib": "gib"}


def learning(line):
    """What a measured learner did; its inputs, if they are there, are rows, tokens and patches of micro-steps."""
    _, tokens, patches = max(line.get("inputs") or [(0, line.get("prompt", 0) + line["completion"], 0)])
    prompt = tokens - line["completion"]
    return Learning(
        line["batch"],
        prompt,
        line["completion"],
        line.get("world", 1),
        line["deepspeed"],
        full=line.get("full", False),
        rank=line.get("rank", 32),
        dora=line["dora"],
        trained=ALL if line["vision"] else ("llm",),
        checkpointing=line.get("checkpointing", True) or (line["vision"] and "-vl-" in line["model"]),
        batches=line.get("batches"),
        patches=patches // line["batch"] or line.get("patches", 0),
    )


def lines_of(measure):
    """The lines that tell a measure; learners of two steps have not reserved yet what a run comes to."""
    return [
        line for line in cases.LEARNERS if line.get(measure) and (measure != RESERVED or "parts_gib" not in line)
    ]


def errors(measure):
    """How far each prediction is off, as a share, by line."""
    lines = lines_of(measure)
    found = [fit(cases.model(line["model"]), learning(line), 80) for line in lines]
    guesses = [getattr(each, MEASURES[measure]) for each in found]
    return {
        f"{number} {cases.called(line)}": abs(guess / line[measure] - 1)
        for number, (line, guess) in enumerate(zip(lines, guesses, strict=True))
    }


@pytest.mark.parametrize("measure", MEASURES)
def test_memory_is_within_ten_percent_on_average_and_fifteen_at_worst(measure):
    off = errors(measure)
    assert max(off.values()) < 0.15, off
    assert mean(off.values()) < 0.10


def test_learner_of_two_steps_has_not_reserved_more_than_a_run():
    short = [line for line in cases.LEARNERS if "parts_gib" in line]
    assert len(short) > 12
    for line in short:
        found = fit(cases.model(line["model"]), learning(line), 80)
        assert line[RESERVED] < 1.15 * found.reserved_gib, line["name"]


def test_sync_of_dora_is_the_largest_moment_until_it_goes_in_batches():
    assert fit(QWEN3_VL_4B, DORA, 80).largest == "sync"
    assert fit(QWEN3_VL_4B, DORA._replace(batches=8), 80).held_gib < fit(QWEN3_VL_4B, DORA, 80).held_gib - 4


def test_parts_are_those_of_the_largest_moment():
    found = fit(QWEN3_VL_4B, DORA, 80)
    assert sum(found.parts.values()) == pytest.approx(found.held_gib)
    assert found.moments[found.largest] == found.held_gib


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"rows": 64}, True),
        ({"checkpointing": False}, True),
        ({"full": True, "dora": False}, True),
        ({"world": 8}, False),
        ({"dora": False}, False),
        ({"zero": 3, "world": 8, "batches": 8}, False),
    ],
)
def test_settings_change_what_is_needed(change, more):
    before, after = fit(QWEN3_VL_4B, DORA, 80).gib, fit(QWEN3_VL_4B, DORA._replace(**change), 80).gib
    assert (after > before) is more


def test_frozen_parts_have_no_adapters():
    assert trainable(QWEN3_VL_4B, DORA._replace(trained=("llm",))) < trainable(QWEN3_VL_4B, DORA)
    named = DORA._replace(dora=False, targets=("q_proj",))
    assert trainable(QWEN3_VL_4B, named) == 36 * 32 * (2560 + 4096)


def test_verdicts():
    needed = fit(QWEN3_VL_4B, DORA, 80)
    assert needed.fits == "yes"
    assert fit(QWEN3_VL_4B, DORA, needed.gib - 1).fits == "close"
    assert fit(QWEN3_VL_4B, DORA, needed.held_gib).fits == "no"


def test_model_that_is_not_counted_is_told():
    novel = QWEN3_VL_4B._replace(layers=(), missing=("the parameters are not counted, because ...",))
    found = fit(novel, DORA, 80)
    assert (found.fits, found.largest, found.missing) == (None, "", novel.missing)
