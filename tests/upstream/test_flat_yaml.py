"""Flat YAML, read by ms-swift's own command line, and what it makes of a migrated pair."""

import pytest
import yaml
from click.testing import CliRunner

from launch.argv import arguments as argv
from migrate.cli import main as migrate_config
from schema import check
from schema.audit import Audit
from schema.errors import InputError
from schema.resolve import Workspace
from schema.split.gpus import Gpus
from tests.upstream.oracle import Request

PRESET = """\
# Everything that a small run needs.
rlhf_type: grpo
model: MODEL
model_type: qwen3
torch_dtype: bfloat16
template: qwen3
max_length: 3072
truncation_strategy: delete
seed: 17
external_plugins: PLUGIN
tuner_type: lora
lora_rank: 8
dataset: [a.jsonl]
val_dataset: a.jsonl
output_dir: output
learning_rate: 1.0e-6
per_device_train_batch_size: 2
per_device_eval_batch_size: 2
gradient_accumulation_steps: 2  # 32 completions
eval_strategy: "no"
gradient_checkpointing_kwargs: {use_reentrant: false}
reward_funcs: [accuracy, format]
reward_weights: ["1.0", "0.5"]
num_generations: 4
steps_per_generation: 4
max_completion_length: 1024
temperature: 0.9
report_to: none
use_vllm: true
vllm_mode: colocate
vllm_gpu_memory_utilization: 0.4
# Eight pictures.
vllm_limit_mm_per_prompt: {image: 8}
vllm_engine_kwargs: {enable_chunked_prefill: true}
vllm_max_num_seqs: 128
sleep_level: 1
offload_optimizer: true
"""
ENV = """\
ENV:
  NPROC_PER_NODE: 8
  CUDA_VISIBLE_DEVICES: 0,1,2,3,4,5,6,7
  VLLM_ATTENTION_BACKEND: FLASH_ATTN
  MAX_PIXELS: 1003520
  WANDB_MODE: offline
"""


@pytest.fixture
def preset(upstream, tmp_path):
    """Writes the preset, with more lines, for the reference release or another one."""
    return lambda more="", world=upstream: write(world, tmp_path / "x.yaml", more)


def write(world, path, more):
    split = f'rollout-gpus = 6\ntrain-gpus = 2\nswift-version = "{world.version}"\n'
    path.with_name("pyproject.toml").write_text(f"[tool.rollout-split]\n{split}")
    text = PRESET.replace("MODEL", str(world.model("qwen3"))).replace("PLUGIN", str(world.folder / "plugin.py"))
    if "tuner_type" not in world.release.trainer:
        text = text.replace("tuner_type", "train_type")
    names = {line.partition(":")[0] for line in more.splitlines()}
    lines = [line for line in text.splitlines(keepends=True) if line.partition(":")[0] not in names]
    path.write_text("".join(lines) + more)
    return path


def learns(world, path, gpus=2):
    """Why real ms-swift does not make the learner's arguments of a file, or None."""
    read = world.oracle.read(path)
    return read["error"] or world.oracle.ask(Request("learner", tuple(read["words"]), gpus))[0].error


def flagged(world, path):
    """The rules that find something in a file."""
    workspace = Workspace()
    options = check.Options(Gpus(6), Gpus(2), world.version)
    try:
        return {found.rule for found in Audit(workspace, options).of(check.load(workspace, path))}
    except InputError as error:  # it is not checked any further
        return {error.rule}


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("reward_weights: [1.0, 0.5]", "TypeError: sequence item"),
        ("target_modules: [all-linear, 1]", "TypeError: sequence item"),
        ("stop_words: [null]", "TypeError: sequence item"),
        ("stop_words: [{a: 1}]", "TypeError: sequence item"),
        ("stop_words: []", "SystemExit: argument --stop_words/--stop-words: expected at least one argument"),
        ("max_steps: null", "SystemExit: argument --max_steps/--max-steps: invalid int value: 'None'"),
        ("bf16: null", "SystemExit: argument --bf16: Truthy value expected"),
        ("beta: -1.0e-5", "SystemExit: argument --beta: expected one argument"),
        ('system: "--brief"', "SystemExit: argument --system: expected one argument"),
    ],
)
def test_values_that_the_yaml_reader_cannot_pass(line, error, preset, upstream):
    path = preset(f"{line}\n")
    assert (learns(upstream, path) or "").startswith(error)
    assert "yaml-argument" in flagged(upstream, path)


def test_null_is_a_text_where_the_parser_takes_any(preset, upstream):
    path = preset("system: null\n")
    assert learns(upstream, path) is None
    assert upstream.oracle.read(path)["words"][-2:] == ["--system", "None"]
    assert "yaml-argument" in flagged(upstream, path)


@pytest.mark.parametrize(
    "line",
    [
        'reward_weights: ["1.0", "0.5"]',
        "torch_dtype: null",
        "beta: -0.5",
        'learning_rate: "1e-6"',
        'num_generations: "4"',
        "dataset: a.jsonl",
        'bf16: "yes"',
        "vllm_engine_kwargs: '{\"enable_chunked_prefill\": true}'",
        ENV,
    ],
)
def test_values_that_it_can(line, preset, upstream):
    path = preset(f"{line.rstrip()}\n")
    assert learns(upstream, path) is None
    assert flagged(upstream, path) & {"yaml-argument", "yaml-environment", "wrong-type"} == set()


@pytest.mark.parametrize(
    ("line", "rule"), [("extends: base.yaml", "unresolved-base"), ("no_such_key: 1", "unknown-key")]
)
def test_keys_that_nothing_reads(line, rule, preset, upstream):
    path = preset(f"{line}\n")
    assert "remaining_argv" in learns(upstream, path)
    assert rule in flagged(upstream, path)


@pytest.mark.parametrize("said", ["[NPROC_PER_NODE=8]", "{1: a}"])
def test_env_that_stops_the_yaml_reader(said, preset, upstream):
    path = preset(f"ENV: {said}\n")
    assert upstream.oracle.read(path)["error"].startswith(("AttributeError", "TypeError"))
    assert "yaml-environment" in flagged(upstream, path)


def test_env_is_an_argument_to_the_oldest_release(preset, oldest):
    path = preset("ENV: {MAX_PIXELS: 1003520}\n", oldest)
    assert "--ENV" in oldest.oracle.read(path)["words"]
    assert "yaml-environment" in flagged(oldest, path)


def pair(world, path, *options):
    ran = CliRunner().invoke(migrate_config, ["--write", *options, str(path)])
    assert ran.exit_code == 0, ran.output
    assert flagged(world, path) == set()
    return path, path.with_name("x.rollout.yaml")


def constructs(world, learner, server):
    read = [world.oracle.read(file) for file in (learner, server)]
    assert [said["error"] for said in read] == [None, None]
    words = [tuple(said["words"]) for said in read]
    answers = world.oracle.ask(Request("learner", words[0], 2), Request("server", words[1], 6))
    assert [answer.error for answer in answers] == [None, None]
    logs = [line for answer in answers for line in answer.logs]
    assert [line for line in logs if "ignored" in line or "conflict" in line.lower()] == []
    return read


def test_both_files_of_a_migrated_pair_construct(preset, upstream):
    learner, server = constructs(upstream, *pair(upstream, preset(ENV)))
    shared = {"MAX_PIXELS": "1003520"}
    assert learner["variables"] == shared | {
        "NPROC_PER_NODE": "2",
        "CUDA_VISIBLE_DEVICES": "6,7",
        "WANDB_MODE": "offline",
    }
    assert server["variables"] == shared | {
        "CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5",
        "VLLM_ATTENTION_BACKEND": "FLASH_ATTN",
    }


def test_oldest_release_constructs_a_pair_too(preset, oldest):
    constructs(oldest, *pair(oldest, preset("", oldest)))


def test_launch_plans_say_what_the_yaml_reader_says(preset, upstream):
    learner, server = pair(upstream, preset())
    workspace = Workspace()
    about = check.context(workspace, check.load(workspace, learner), check.Options(swift_version=upstream.version))
    for file, words, first in (
        (learner, argv.learner(about, 2), argv.SWIFT_RLHF),
        (server, argv.server(about), "rollout"),
    ):
        assert options(words[words.index(first) + 1 :]) == options(upstream.oracle.read(file)["words"])


def options(words):
    """Options with their words; booleans are spelled in more than one way."""
    found = {}
    for word in words:
        if word.startswith("--"):
            found[word] = []
        else:
            found[list(found)[-1]].append({"True": "true", "False": "false"}.get(word, word))
    return found


def test_back_in_colocate_mode_it_constructs_again(preset, upstream):
    path, server = pair(upstream, preset(ENV))
    back = CliRunner().invoke(migrate_config, ["--write", "--to", "colocate", str(path)])
    assert (back.exit_code, server.exists()) == (0, False)
    assert learns(upstream, path, gpus=8) is None
    data = yaml.safe_load(path.read_bytes())
    assert (data["gradient_accumulation_steps"], data["steps_per_generation"]) == (2, 4)
