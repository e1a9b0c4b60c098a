"""validate-config on shell scripts: what it makes of calls, what it leaves to a shell, when it is quiet."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
GRPO = (
    "swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy"
    " --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8"
)


@pytest.fixture
def script(tmp_path, monkeypatch, validate):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.rollout-split]\nswift-version = "4.5.2"\n')

    def script(text, *options, name="x.sh"):
        Path(name).write_text(text)
        return validate("--format", "json", *options, name)

    return script


def rules(ran):
    return {(found["line"], found["rule"]) for found in ran.findings}


NO_PRESETS = {
    "a script without a call": (
        "#!/bin/sh\necho 'it is done'\n",
        "without a call of `swift rlhf` or `swift rollout`",
    ),
    "a script that only speaks of it": (
        "echo swift rlhf --rlhf_type grpo\n# swift rlhf is next\n",
        "without a call",
    ),
    "another algorithm": ("swift rlhf --rlhf_type dpo --model x\n", "another algorithm"),
    "no algorithm": ("swift rlhf --model x\n", "another algorithm"),
    "an unknown algorithm": ("swift rlhf --rlhf_type $1 --model x\n", "only a shell knows"),
    "an algorithm from outside": ('swift rlhf "$@"\n', "rlhf_type only a shell knows"),
    "Megatron": ("export A=1\nNPROC_PER_NODE=8 megatron rlhf --rlhf_type grpo\n", "Megatron-SWIFT (line 2)"),
    "a text for tmux": ('tmux new -d "swift rlhf --rlhf_type grpo"\n', "for another shell (line 1), is not read"),
    "a text for bash": ('cd x\nbash -c "A=1 swift rlhf $@"\n', "in a text for another shell (line 2)"),
    "a text that is only said": ('echo "swift rlhf is next"\n', "without a call"),
    "a YAML file": ("swift rlhf grpo.yaml --max_steps 3\n", "reads grpo.yaml; check that file"),
    "a YAML file of older releases": ("swift rlhf --config conf/grpo.yaml\n", "reads conf/grpo.yaml"),
}


@pytest.mark.parametrize(("text", "said"), NO_PRESETS.values(), ids=NO_PRESETS)
def test_script_without_a_grpo_call_is_named_by_hand_and_passed_over_in_a_hook(text, said, script, monkeypatch):
    ran = script(text)
    assert (ran.code, [found["rule"] for found in ran.findings]) == (2, ["no-preset"])
    assert said in ran.findings[0]["message"]
    monkeypatch.setenv("PRE_COMMIT", "1")
    ran = script(text)
    assert (ran.code, ran.findings, ran.err) == (0, [], "")


@pytest.mark.parametrize("form", ["text", "concise", "json", "github", "sarif"])
def test_script_for_fish_is_refused_by_name_in_every_format(form, tmp_path, validate):
    (tmp_path / "x.fish").write_text(f"set -x NPROC_PER_NODE 8\n{GRPO}\n")
    (tmp_path / "x.sh").write_text(f"#!/usr/bin/env -S fish\n{GRPO}\n")
    for name in ("x.fish", "x.sh"):
        ran = validate("--format", form, tmp_path / name)
        assert ran.code == 2
        assert "is no GRPO preset, but a script for fish, which is not read; only bash is" in ran.out
    ran = validate(tmp_path)
    assert (ran.code, ran.out) == (0, "")
    assert "passed over, because they are no GRPO presets: " in ran.err


SAME_IN_ZSH = {
    "nothing but words": "",
    "one word of a variable": "N=8\n",
    "items of an array": "A=(--beta 0.04 --top_k 5)\n",
    "a split elsewhere": "X='a b'\necho $X\n",
}
OTHERWISE_IN_ZSH = {
    "options in a text": ("A='--beta 0.04'\n", "$A"),
    "the first item": ("A=(--beta 0.04)\n", "$A 0.04"),
    "an item by its number": ("A=(5 6)\n", "--top_k ${A[1]}"),
}


@pytest.mark.parametrize("first", ["#!/bin/zsh\n", "#!/usr/bin/env zsh\n"])
@pytest.mark.parametrize("before", SAME_IN_ZSH.values(), ids=SAME_IN_ZSH)
def test_script_for_zsh_is_read_where_bash_makes_the_same_of_it(before, first, script):
    more = '"${A[@]}"' if "A=(" in before else "--num_generations $N" if "N=" in before else ""
    ran = script(f"{first}{before}{GRPO} {more} --no_such_option 1\n")
    assert [found["rule"] for found in ran.findings] == ["unknown-key"]


@pytest.mark.parametrize(("before", "more"), OTHERWISE_IN_ZSH.values(), ids=OTHERWISE_IN_ZSH)
def test_script_for_zsh_is_refused_where_bash_makes_other_words_of_its_call(before, more, script):
    assert script(f"{before}{GRPO} {more}\n").code == 0
    ran = script(f"#!/bin/zsh\n{before}{GRPO} {more}\n")
    assert (ran.code, [found["rule"] for found in ran.findings]) == (2, ["no-preset"])
    assert "for zsh, which makes other words of the call in line 3 than bash" in ran.findings[0]["message"]
    assert script(f"{before}{GRPO} {more}\n", name="x.zsh").code == 2


def test_folder_holds_scripts_too(tmp_path, script, validate):
    script("echo swift\n", name="foreign.sh")
    script(GRPO + " --no_such_option 1\n")
    ran = validate("--format", "json", tmp_path)
    assert (ran.code, rules(ran)) == (1, {(1, "unknown-key")})
    assert "passed over, because they are no GRPO presets: foreign.sh" in ran.err


def test_foreign_script_may_hold_any_bytes_in_a_hook(tmp_path, monkeypatch, validate):
    monkeypatch.setenv("PRE_COMMIT", "1")
    (tmp_path / "x.sh").write_bytes(b"#!/bin/sh\necho '\xff\x1b\n")
    assert validate(tmp_path / "x.sh") == (0, "", "")


def test_yaml_alone_needs_no_parser_of_bash():
    code = "import sys; from schema.cli import main; main(['--explain', 'all'], standalone_mode=False)"
    loaded = "sys.exit(any(name.startswith('tree_sitter') for name in sys.modules))"
    command = [sys.executable, "-c", f"try:\n {code}\nexcept SystemExit: {loaded}"]
    assert subprocess.run(command, check=False).returncode == 0


LEARNERS = {
    "nothing": ("", 1),
    "in front": ("NPROC_PER_NODE=4 ", 4),
    "exported": ("export NPROC_PER_NODE=4\n", 4),
    "in front of what is exported": ("export NPROC_PER_NODE=4\nNPROC_PER_NODE=2 ", 2),
    "through env": ("env NPROC_PER_NODE=4 ", 4),
    "through sudo": ("sudo -E NPROC_PER_NODE=4 ", 4),
    "a plain variable": ("NPROC_PER_NODE=4\n", 1),
    "of srun": ("NPROC_PER_NODE=4 srun -n 1 ", 4),
    "of another machine": ("ssh node NPROC_PER_NODE=4 ", 4),
    "not passed by ssh": ("NPROC_PER_NODE=4 ssh node ", 1),
    "-e of a container": ("docker run --gpus all -e NPROC_PER_NODE=4 image ", 4),
    "--env of a container": ("podman run --env NPROC_PER_NODE=4 image ", 4),
    "--env= of a container": ("sudo docker exec --env=NPROC_PER_NODE=4 name ", 4),
    "passed to a container": ("NPROC_PER_NODE=4 docker run -e NPROC_PER_NODE image ", 4),
    "not passed to a container": ("NPROC_PER_NODE=4 docker run image ", 1),
    "a label of a container": ("docker run --label NPROC_PER_NODE=4 image ", 1),
    "env in a container": ("docker run --label A=1 image env NPROC_PER_NODE=4 ", 4),
    "nodes": ("NNODES=2 NPROC_PER_NODE=4 ", 8),
}


@pytest.mark.parametrize(("before", "world"), LEARNERS.values(), ids=LEARNERS)
def test_learners_are_those_of_the_call(before, world, script):
    ran = script(f"{before}{GRPO} --generation_batch_size 4\n")
    assert f"per_device_train_batch_size 8 x W = {world} " in ran.out


@pytest.mark.parametrize(
    "option", ["--nproc_per_node 4", "--nproc_per_node=4", "--nproc-per-node 4", "--nproc-per-node=4"]
)
@pytest.mark.parametrize("launcher", ["torchrun --nnodes 1", "python -m torch.distributed.run --standalone"])
@pytest.mark.parametrize("module", ["-m swift.cli.rlhf", "/opt/ms-swift/swift/cli/rlhf.py"])
def test_learners_are_those_of_torchrun(option, launcher, module, script):
    call = GRPO.removeprefix("swift rlhf")
    ran = script(f"NPROC_PER_NODE=2 {launcher} {option} {module} {call} --generation_batch_size 4\n")
    assert "per_device_train_batch_size 8 x W = 4 " in ran.out


def test_learners_that_only_a_shell_knows_are_not_guessed(script):
    for before in (
        "NPROC_PER_NODE=$(nvidia-smi -L | wc -l) swift rlhf",
        "accelerate launch -m swift.cli.rlhf",
        "docker run --env-file run.env image swift rlhf",
        "docker run -e NPROC_PER_NODE image swift rlhf",
    ):
        ran = script(f"{before} {GRPO.removeprefix('swift rlhf')} --generation_batch_size 4 --num_generations 4\n")
        assert rules(ran) == {(1, "shell-value")}


def test_words_that_ssh_passes_to_another_shell_are_left_to_it(script):
    call = f"{GRPO} --num_generations 8 --system 'You are good'\n"
    assert rules(script(call)) == set()
    ran = script(f"ssh node {call}")
    assert [found["message"] for found in ran.findings] == ["only a shell knows You are good in --system"]


def test_findings_of_a_commented_call_are_warnings_at_most(script):
    server = "swift rollout --model Qwen/Qwen2.5-3B --port 8001 --no_such_option 1 --vllm_data_parallel_size x\n"
    learner = GRPO.replace("colocate", "server --vllm_server_host 127.0.0.1 --vllm_server_port 8000")
    live, silent = (script(f"{mark}{server}{learner}\n") for mark in ("", "# "))
    assert rules(live) == rules(silent) == {
        (1, "server-address"), (1, "unknown-key"), (1, "wrong-server-type"), (1, "sides-differ")
    }  # fmt: skip
    assert (live.code, silent.code) == (1, 0)
    assert {found["severity"] for found in silent.findings} == {"warning"}
    assert "error" in {found["severity"] for found in live.findings}


@pytest.mark.parametrize(
    "comment",
    ["swift rollout in prose, don't panic", "first: swift rollout --port 1", "swift rollout --port 8001"],
)
def test_comments_that_start_no_server_of_this_run_are_no_calls(comment, script):
    assert rules(script(f"# {comment}\n{GRPO}\n")) == set()


def test_a_comment_silences_a_line_of_a_script(script):
    text = "A=(\n  --no_such_option 1  # rollout-split: ignore[unknown-key] of our own fork\n)\n"
    assert script(text + GRPO + ' "${A[@]}"\n').code == 0
    assert rules(script(text + GRPO + "\n")) == {(2, "unused-ignore")}


@pytest.mark.parametrize(
    "text",
    [
        'echo "# rollout-split: ignore[unknown-key]"\n',
        "echo '\n# rollout-split: ignore[unknown-key]\n'\n",
        "cat <<EOF\n# rollout-split: ignore[unknown-key]\nEOF\n",
        "echo x# rollout-split: ignore[unknown-key]\n",
        "echo ${x#rollout-split: ignore[unknown-key]}\n",
    ],
)
def test_only_a_comment_silences(text, script):
    found = script(f"{text}{GRPO} --no_such_option 1 # ü\n").findings
    assert [each["rule"] for each in found] == ["unknown-key"]


@pytest.mark.parametrize(
    "comment",
    ["# rollout-split: ignore[unknown-key] ours", "echo 'ü' # rollout-split: ignore[unknown-key] ours"],
)
def test_a_comment_silences_wherever_it_is_one(comment, script):
    assert rules(script(f"{comment}\n{GRPO} --num_generations 8\n")) == {(1, "unused-ignore")}
    inline = "`# rollout-split: ignore[unknown-key] ours`"
    assert script(f"{GRPO} \\\n  --no_such_option 1 {inline} \\\n  --num_generations 8\n").findings == []
    assert script(f"{GRPO} --no_such_option 1 # rollout-split: ignore[unknown-key] ours\n").findings == []


def test_a_comment_above_a_call_silences_all_lines_of_it(script):
    call = f"{GRPO} \\\n  --num_generations 8 \\\n  --no_such_option 1\n"
    assert rules(script(call)) == {(3, "unknown-key")}
    assert rules(script(f"# rollout-split: ignore[unknown-key] of our own fork\n{call}")) == set()
    twice = f"# rollout-split: ignore[unknown-key] of our own fork\n{call}{call}"
    assert rules(script(twice)) == {(7, "unknown-key")}


@pytest.mark.parametrize("blank", [" ", "\t", "  "])
def test_a_blank_behind_the_backslash_ends_a_call_and_has_its_line(blank, script):
    ran = script(f"{GRPO} \\{blank}\n  --num_generations 8\n")
    assert rules(ran) == {(1, "shell-words")}
    assert "a blank stands behind the backslash" in ran.findings[0]["message"]
    # Neither a value nor a comment is meant.
    assert rules(script(f"{GRPO} --num_generations 8 --system 'a \\{blank}'\n")) == set()
    assert rules(script(f"{GRPO} --num_generations 8 # --x 1 \\{blank}\n")) == set()


@pytest.mark.parametrize("end", ["\\ ", "", "  # all of it \\"])
def test_a_call_that_ends_early_has_one_finding(end, script, monkeypatch):
    *_, options = GRPO.split(maxsplit=2)
    for first in ("swift rlhf", "swift rlhf --rlhf_type grpo --num_generations 5"):
        text = f"{first} {end}\n  {options}\n"
        for hook in ("", "1"):
            monkeypatch.setenv("PRE_COMMIT", hook)
            ran = script(text)
            assert (ran.code, [found["rule"] for found in ran.findings]) == (1, ["shell-words"]), ran.out


def test_a_comment_between_lines_of_a_call_is_nothing(script):
    assert rules(script(f"{GRPO} \\\n  `# groups` \\\n  --num_generations 8 `# of eight`\n")) == set()


def test_a_mode_that_an_unknown_word_may_bring_is_not_missed(script):
    call = GRPO.replace(" --vllm_mode colocate", "")
    assert "vllm-mode-unset" in {rule for _, rule in rules(script(f"{call} --num_generations 8\n"))}
    assert "vllm-mode-unset" not in {rule for _, rule in rules(script(f"{call} --num_generations 8 $VLLM\n"))}


@pytest.mark.parametrize("word", ['"$@"', "$*", '"$*"', '"${@:2}"', "$MORE", '"${ARGS[@]}"', '"${ARGS[@]:1}"'])
def test_what_rests_on_an_absent_argument_is_a_warning_where_a_word_may_bring_it(word, script):
    def severities(text):
        found = [(found["rule"], found["severity"]) for found in script(text).findings]
        return {rule: severity for rule, severity in found if rule != "shell-value"}

    # The rollout has 8 completions, unless the word brings generation_batch_size or gradient_accumulation_steps.
    assert severities(f"{GRPO} --num_generations 5\n") == {"num-generations": "error"}
    assert severities(f"{GRPO} --num_generations 5 {word}\n") == {"num-generations": "warning"}
    # What the call itself says is wrong whatever else comes.
    for said, rule in {"--no_such_option 1": "unknown-key", "--num_generations 8 --beta x": "wrong-type"}.items():
        assert severities(f"{GRPO} {said} {word}\n")[rule] == "error"


@pytest.mark.parametrize("before", ["--reward_weights 1", "--log_completions", "--no_such_option 1"])
def test_arguments_of_the_script_behind_an_option_may_be_any_options(before, script):
    ran = script(f'{GRPO} --num_generations 5 {before} "$@"\n')
    told = [found["message"] for found in ran.findings if found["rule"] == "shell-value"]
    assert told == ["only a shell knows which arguments $@ brings"]
    assert ("num-generations", "warning") in {(found["rule"], found["severity"]) for found in ran.findings}


def test_processes_that_a_shell_counts_are_not_called_one(script):
    exports = "export CUDA_VISIBLE_DEVICES=0,1,2,3\nexport NPROC_PER_NODE=$(nvidia-smi -L | wc -l)\n"
    assert {rule for _, rule in rules(script(f"{exports}{GRPO} --num_generations 8\n"))} == {"shell-value"}


def test_text_shows_the_line_of_the_script_without_secrets(tmp_path, script, validate):
    script(f"{GRPO} \\\n  --hub_token abc12 --no_such_option 1\n")
    out = validate("x.sh").out
    assert "     2 |   --hub_token *** --no_such_option 1\n" in out
    assert "abc12" not in out


def test_a_secret_of_a_script_is_not_shown(script):
    ran = script(
        "export HF_TOKEN=geheim123 WANDB_API_KEY=geheim123\n"
        f"{GRPO} --hub_token geheim123 geheim123 --x geheim123\n"
    )
    assert ran.code == 1
    assert "geheim123" not in ran.out + ran.err


SIDES = EXAMPLES / "rules/shell-environment/good/two-sides.sh"
ALL_OF_IT = {
    "both sides": SIDES.read_text(),
    "one side": GRPO
    + " --num_generations 8 --max_completion_length 2048 --vllm_max_model_len 4096 --max_length 1024"
    " --reward_weights 1 --sleep_level 1 --vllm_gpu_memory_utilization 0.5 --vllm_tensor_parallel_size 1"
    " --gradient_accumulation_steps 2 --deepspeed zero2 --tuner_type lora --lora_rank 8"
    " --truncation_strategy delete"
    " --eval_strategy no --logging_steps 1 --beta 0.04 --temperature 1.0 --save_strategy steps --save_steps 10\n",
}


@pytest.mark.parametrize("text", ALL_OF_IT.values(), ids=ALL_OF_IT)
def test_nothing_is_concluded_from_a_value_that_only_a_shell_knows(text, script):
    ran = script(text)
    assert (ran.code, ran.findings, ran.err) == (0, [], "")
    words = text.split()
    tried = 0
    for index, word in enumerate(words):
        if not word.startswith("--") or (
            word.startswith("--n") and "torchrun" in words[max(0, index - 2) : index]
        ):
            continue
        changed = [*words]
        changed[index + 1] = '"$UNKNOWN"'
        again = script(rejoined(text, words, changed))
        if word in ("--rlhf_type", "--master-port"):
            continue
        tried += 1
        assert {rule for _, rule in rules(again)} == {"shell-value"}, (word, again.out)
    assert tried > 10


def rejoined(text, words, changed):
    rest, parts = text, []
    for word, new in zip(words, changed, strict=True):
        before, _, rest = rest.partition(word)
        parts += [before, new]
    return "".join([*parts, rest])


@pytest.mark.parametrize(("strategy", "told"), [("steps", ["eval-batch-size"]), ('"$1"', ["shell-value"])])
def test_a_rule_notices_what_an_earlier_one_has_asked_too(script, strategy, told):
    """Whether ms-swift evaluates depends on save_strategy, for several rules."""
    file = script(
        "swift rlhf --rlhf_type grpo --model m --dataset d --val_dataset v --use_vllm true --vllm_mode colocate"
        " --reward_funcs accuracy --num_generations 8 --per_device_train_batch_size 8"
        f" --per_device_eval_batch_size 3 --save_strategy {strategy}\n"
    )
    assert [found["rule"] for found in file.findings] == told
