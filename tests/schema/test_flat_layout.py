"""The flat layout: which files it is, how a pair is named, and what its ENV says."""

import pytest

LEARNER = """\
rlhf_type: grpo
model: models/none
dataset: train.jsonl
reward_funcs: accuracy
per_device_train_batch_size: 4
num_generations: 4
use_vllm: true
vllm_mode: server
vllm_server_host: 127.0.0.1
vllm_server_port: 8080
"""
SERVER = """\
model: models/none
host: 127.0.0.1
port: 8080
vllm_tensor_parallel_size: 1
vllm_data_parallel_size: 6
vllm_max_model_len: 4096
"""
NESTED = "rlhf: {rlhf_type: grpo}\nmodel: {model: m}\n"


@pytest.fixture
def pair(write):
    def pair(learner=LEARNER, server=SERVER, suffix="yaml"):
        return write(f"x.{suffix}", learner), write(f"x.rollout.{suffix}", server)

    return pair


@pytest.mark.parametrize("named", [(0,), (1,), (0, 1), (1, 0)])
def test_either_file_names_the_pair_and_each_finding_comes_once(named, pair, validate):
    files = pair(LEARNER + "sed: 1\n", SERVER + "prt: 1\n")
    found = validate("--format", "json", *(files[half] for half in named)).findings
    assert [(finding["file"], finding["message"]) for finding in found] == [
        ("x.rollout.yaml", "unknown key x.rollout.yaml: prt"),
        ("x.yaml", "unknown key sed; did you mean seed?"),
    ]


@pytest.mark.parametrize(
    ("leaf", "place", "said"),
    [
        ("extends: base.yaml\nrlhf_type: grpo\n", "x.yaml:1:10", "flat YAML cannot extend files"),
        ("extends: [base.yaml]\nbeta: 0.04\n", "x.yaml:1:10", "extends base.yaml, which is flat YAML"),
        ("extends: base.yaml\nrlhf:\n  beta: 0.04\n", "x.yaml:1:10", "extends base.yaml, which is flat YAML"),
        ("extends: between.yaml\nrlhf:\n  beta: 0.04\n", "x.yaml:1:10", "extends base.yaml, which is flat YAML"),
    ],
)
def test_that_flat_files_extend_nothing_is_one_finding(leaf, place, said, write, validate):
    write("base.yaml", LEARNER)
    write("between.yaml", "extends: base.yaml\nrlhf: {temperature: 1.0}\n")
    ran = validate("--format", "concise", write("x.yaml", leaf))
    assert ran.code == 2
    assert ran.out.startswith(f"{place}: error[unresolved-base] {said}"), ran.out
    assert ran.out.endswith("\n1 error in 1 file\n")


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_a_right_pair_is_quiet(suffix, pair, validate):
    assert validate(*pair(suffix=suffix)) == (0, "", "")


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        (None, "is the server's half of x.yaml, which is not beside it"),
        (NESTED, "would be the server's half of x.yaml, which is not flat YAML"),
    ],
)
def test_server_half_without_its_learner_is_refused(learner, said, write, validate):
    server = write("x.rollout.yaml", SERVER)
    if learner:
        write("x.yaml", learner)
    ran = validate(server, "--format", "concise")
    assert ran == (2, f"x.rollout.yaml:1:1: error[missing-half] {said}\n1 error in 1 file\n", "")


def test_a_nested_preset_may_have_the_name_of_a_server_half(write, validate):
    file = write("x.rollout.yaml", NESTED)
    assert "rlhf.rlhf_type" not in validate(file).out
    assert "[missing-key] training.run_name is missing" in validate(file).out


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("model: m\nlearning_rate: 1.0e-5\n", "a preset of another algorithm"),
        ("rlhf_type: dpo\nmodel: m\n", "a preset of another algorithm"),
        ("name: fusion\nsteps: [1]\n", "a file without any section of a preset"),
    ],
)
def test_other_flat_files_are_no_grpo_presets_and_hooks_skip_them(text, kind, write, validate):
    file = write("x.yaml", text)
    assert f"error[no-preset] is no GRPO preset, but {kind}\n" in validate(file).out
    assert validate(file, PRE_COMMIT="1") == (0, "", "")


def test_learners_are_what_env_says_unless_the_caller_says_otherwise(pair, validate):
    learner, _ = pair(LEARNER.replace("num_generations: 4", "num_generations: 3") + "ENV: {NPROC_PER_NODE: 3}\n")
    assert validate(learner) == (0, "", "")
    [found] = validate(learner, "--train-gpus", 4, "--format", "json").findings
    assert found["message"] == "one rollout makes 16 completions, not divisible by num_generations 3"


def test_rollout_gpus_are_what_the_server_s_env_says(pair, validate):
    learner, _ = pair(server=SERVER + "ENV: {CUDA_VISIBLE_DEVICES: '0,1'}\n")
    [found] = validate(learner, "--format", "json").findings
    assert (found["file"], found["rule"]) == ("x.rollout.yaml", "rollout-gpus")
    assert found["message"] == "TP 1 x DP 6 = 6, but 2 GPUs roll out"


def test_fixes_name_keys_as_this_layout_spells_them(write, validate):
    text = LEARNER.replace("vllm_server_host: 127.0.0.1\n", "vllm_server_host: 10.0.0.1\n")
    found = validate("--format", "json", write("x.yaml", text)).findings
    fixes = {finding["rule"]: finding["fix"] for finding in found}
    assert fixes["one-loopback-host"] == "set vllm_server_host to 127.0.0.1"
    assert fixes["server-block-missing"].startswith("add x.rollout.yaml")


def test_argument_of_the_learner_in_the_server_half_is_told_where_it_belongs(pair, validate):
    learner, _ = pair(server=SERVER + "learning_rate: 1.0e-5\n")
    [found] = validate(learner, "--format", "json").findings
    assert found["message"] == "unknown key x.rollout.yaml: learning_rate; it is an argument of the learner"
    assert found["fix"] == "move it to x.yaml"
