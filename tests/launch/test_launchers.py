"""The launchers as an operator uses them; `swift` and `torchrun` are stand-ins, all else is real."""

import signal

import pytest

from tests.launch.bench import REPO
from tests.launch.bench import SMOKE
from tests.launch.bench import end

SERVER = "grpo_rollout_server.sh"
LEARNER = "grpo_train_server_mode.sh"
SUMMARY = REPO / "configs/train/grpo/summary_1024.yaml"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

SMOKE_SERVER = (
    "CUDA_VISIBLE_DEVICES=0 swift rollout --model build/smoke/model --model_type qwen3 --torch_dtype bfloat16"
    " --template qwen3 --truncation_strategy delete --seed 17 --host 127.0.0.1 --port 8080"
    " --vllm_tensor_parallel_size 1 --vllm_data_parallel_size 1 --vllm_max_model_len 512"
    " --vllm_gpu_memory_utilization 0.3 --vllm_enable_lora false --vllm_enforce_eager true\n"
)
SMOKE_LEARNER = (
    "CUDA_VISIBLE_DEVICES=1 torchrun --standalone --nproc_per_node=1 -m swift.cli.rlhf"
    " --model build/smoke/model --model_type qwen3 --torch_dtype bfloat16 --attn_impl sdpa"
    " --dataset configs/smoke/prompts.jsonl --template qwen3 --tuner_type lora --lora_rank 8 --lora_alpha 16"
    " --target_modules all-linear --run_name smoke-server --output_dir build/smoke/output"
    " --logging_dir build/smoke/output/tb --num_train_epochs 1 --max_steps 3 --learning_rate 1e-05"
    " --vit_lr 1e-05 --aligner_lr 1e-05 --optimizer default --per_device_train_batch_size 4 --bf16 true"
    " --eval_strategy no --save_strategy no --logging_steps 1 --report_to none --seed 17 --rlhf_type grpo"
    " --reward_funcs repetition soft_overlong --reward_weights 1.0 1.0 --soft_cache_length 32"
    " --num_generations 4 --generation_batch_size 4 --temperature 1.0 --max_completion_length 64"
    " --truncation_strategy delete --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1"
    " --vllm_server_port 8080 --vllm_server_timeout 300 --gradient_accumulation_steps 1 --max_length 448"
    " --deepspeed zero2\n"
)
SUMMARY_SERVER = (
    "CUDA_VISIBLE_DEVICES=0,1,2,3,4,5 swift rollout --model models/qwen3-vl-4b-summary-1024-merged"
    " --torch_dtype bfloat16 --template qwen3_vl --truncation_strategy delete --max_pixels 1000000000 --seed 17"
    " --host 127.0.0.1 --port 8080 --vllm_tensor_parallel_size 1 --vllm_data_parallel_size 6"
    " --vllm_max_model_len 8192 --vllm_gpu_memory_utilization 0.6 --vllm_enable_prefix_caching true"
    " --vllm_enable_lora false\n"
)
SUMMARY_LEARNER = f"CUDA_VISIBLE_DEVICES=6,7 torchrun --standalone --nproc_per_node=2 -m a.b --config {SUMMARY}\n"

FACTS = {
    SMOKE: [
        "host 127.0.0.1",
        "port 8080",
        "tensor_parallel_size 1",
        "data_parallel_size 1",
        "vllm_max_model_len 512",
        "model build/smoke/model",
    ],
    SUMMARY: [
        "host 127.0.0.1",
        "port 8080",
        "tensor_parallel_size 1",
        "data_parallel_size 6",
        "vllm_max_model_len 8192",
        "model models/qwen3-vl-4b-summary-1024-merged",
    ],
}


# What a dry run prints


@pytest.mark.parametrize(
    ("script", "preset", "words", "printed"),
    [
        (SERVER, SMOKE, ["gpus=0"], SMOKE_SERVER),
        (LEARNER, SMOKE, ["gpus=1"], SMOKE_LEARNER),
        ("train.sh", SMOKE, ["gpus=1"], SMOKE_LEARNER),
        (SERVER, SUMMARY, ["gpus=0,1,2,3,4,5"], SUMMARY_SERVER),
        (LEARNER, SUMMARY, ["gpus=6,7", "entry=a.b"], SUMMARY_LEARNER),
    ],
)
def test_dry_run_prints_the_exact_command_and_starts_nothing(bench, script, preset, words, printed):
    bench.preset = preset
    code, out, err = end(bench.start(*bench.words(script, *words, "dry_run=true")))
    assert (code, out) == (0, printed)
    facts = [" ".join(line.split()) for line in err.splitlines()]
    assert facts == ([] if script == "train.sh" else [*FACTS[preset], words[0].replace("=", " ")])
    assert not bench.logs.exists()
    assert not bench.state.exists()


# What is refused


@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        (SERVER, ["gpus=0", "wait_timeout=3"], "No such option"),
        (LEARNER, ["gpus=0", "dry_run"], "dry_run is not of the form key=value"),
        (LEARNER, ["gpus=0", "gpus=1"], "gpus is given twice"),
        (LEARNER, ["gpus=0", "dry_run=yes"], "Option '--dry-run' does not take a value"),
        (LEARNER, ["gpus=0", "health_check="], "Option '--health-check' does not take a value"),
        (LEARNER, ["gpus=0", "wait_timeout=5m"], "'5m' is not a number of seconds"),
        ("train.sh", [], "Missing option '--gpus'"),
        (SERVER, ["gpus="], "Invalid value for '--gpus': it is empty"),
        ("train.sh", ["gpus=0", "entry=-c"], "'-c' is not the name of a Python module"),
    ],
)
def test_wrong_words(bench, script, words, message):
    code, out, err = end(bench.start(*bench.words(script, *words)))
    assert (code, out) == (2, "")
    assert message in err
    assert not (bench.home / "swift.json").exists()


def test_words_are_never_evaluated(bench):
    evil = bench.home / "evil"
    word = f"a[$(touch {evil})]=1"
    for words in ([word], ["gpus=0", f"dry_run=$(touch {evil})"], [f"gpus=$(touch {evil})", "dry_run=true"]):
        code, _, _ = end(bench.start(*bench.words(SERVER, *words)))
        assert code == 2
    assert not evil.exists()


def test_config_is_required(bench):
    code, _, err = end(bench.start("bash", str(REPO / "scripts/train.sh"), "gpus=0"))
    assert (code, "Missing argument 'CONFIG'" in err) == (2, True)


def test_working_directory_that_is_gone(bench):
    lost = 'mkdir lost; cd lost; rmdir ../lost; exec "$@"'
    code, _, err = end(bench.start("bash", "-c", lost, "bash", *bench.words(SERVER, "gpus=0")))
    assert (code, "error: the working directory is gone; change into it again" in err) == (2, True)


def test_unreadable_preset(bench):
    bench.preset = bench.home / "no such.yaml"
    code, _, err = end(bench.start(*bench.words(LEARNER, "gpus=0")))
    assert (code, "no such.yaml" in err) == (2, True)


@pytest.mark.parametrize("script", [SERVER, LEARNER, "train.sh"])
def test_preset_with_an_error(bench, script):
    bench.edit("num_generations: 4", "num_generations: 3")
    code, _, err = end(bench.start(*bench.words(script, "gpus=0")))
    assert (code, "error[num-generations]" in err) == (1, True)


@pytest.mark.parametrize(
    ("script", "message"), [(SERVER, "vllm_mode is 'colocate'"), (LEARNER, "`rollout-split train` runs it")]
)
def test_colocate_preset_has_no_server(bench, script, message):
    bench.preset = REPO / "tests/presets/colocate/configs/train/grpo/summary_1024.yaml"
    code, _, err = end(bench.start(*bench.words(script, "gpus=0,1,2,3,4,5,6,7")))
    assert (code, message in err) == (2, True)


def test_train_without_torchrun(bench):
    (bench.home / "bin/torchrun").unlink()
    code, _, err = end(bench.start(*bench.words("train.sh", "gpus=0")))
    assert (code, "torchrun is not on PATH" in err) == (2, True)


@pytest.mark.parametrize(("script", "word"), [(SERVER, "swift"), ("train.sh", "python")])
def test_program_that_is_none(bench, script, word):
    program = bench.home / "python-or-swift"
    program.write_text("neither\n")
    program.chmod(0o755)
    code, _, err = end(bench.start(*bench.words(script, "gpus=0", f"{word}={program}")))
    assert (code, f"error: {program} cannot be run: Exec format error" in err) == (2, True)
    assert not bench.left()


@pytest.mark.parametrize("script", [SERVER, "train.sh"])
def test_words_that_no_program_takes(bench, script):
    bench.edit("  template: qwen3\n", f"  template: qwen3\n  system: {'x' * 200_000}\n")
    code, _, err = end(bench.start(*bench.words(script, "gpus=0")))
    assert (code, " cannot be run: Argument list too long" in err) == (2, True)


@pytest.mark.parametrize(("script", "program"), [(SERVER, "swift"), (LEARNER, "torchrun")])
def test_without_the_program(bench, script, program):
    (bench.home / "bin" / program).unlink()
    code, _, err = end(bench.start(*bench.words(script, "gpus=0")))
    assert (code, f"error[software-missing] {program} is not on PATH" in err) == (1, True)
    assert not bench.logs.exists()


def a_link(state):
    state.symlink_to(state.parent)


def a_file(state):
    state.touch()


def anybodys(state):
    """As /tmp is, also for root."""
    state.mkdir()
    state.chmod(0o1777)


@pytest.mark.parametrize("made", [a_link, a_file, anybodys])
@pytest.mark.parametrize("word", ["preflight_only=true", "show=quiet"])
def test_folder_of_notes_that_is_not_the_users_own(bench, made, word):
    made(bench.state)
    mode = bench.state.stat().st_mode
    code, _, err = end(bench.server(word))
    expected = "is not a folder that you alone may write in; set ROLLOUT_SPLIT_STATE to another folder"
    assert (code, expected in err) == (2, True)
    assert bench.state.stat().st_mode == mode
    assert not (bench.home / "swift.json").exists()
