"""migrate-config on shell scripts: the pair beside one means the same, and what else it does is named."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from schema.cli import main as validate_config

EXAMPLES = Path(__file__).parents[1] / "examples/rules"
COLOCATE = """\
#!/bin/bash
# colocate on eight GPUs
set -e
export WANDB_PROJECT=grpo WANDB_API_KEY=geheim123
MODEL=Qwen/Qwen2.5-7B-Instruct
pip install -q math_verify

CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \\
NPROC_PER_NODE=8 \\
swift rlhf \\
    --rlhf_type grpo \\
    --model $MODEL \\
    --dataset 'AI-MO/NuminaMath-TIR#1000' more.jsonl \\
    --reward_funcs accuracy format --reward_weights 1 0.5 \\
    --use_vllm \\
    --vllm_mode colocate \\
    --vllm_gpu_memory_utilization 0.5 \\
    --vllm_max_model_len 8192 \\
    --max_completion_length 2048 \\
    --per_device_train_batch_size 2 \\
    --gradient_accumulation_steps 4 \\
    --num_generations 8 \\
    --learning_rate 1e-6 --beta 0 --epsilon 0.20 --seed 007 --top_k -1 --run_name 0815 --log_completions True \\
    --system "You are \\"good\\".
Think: it's 1 # 2." \\
    --model_kwargs '{"max_pixels": 1003520}' \\
    --sleep_level 1 \\
    --output_dir output/"grpo run" > train.log 2>&1 &
wait
"""
PAIR = {
    "x.yaml": {
        "ENV": {"WANDB_PROJECT": "grpo", "CUDA_VISIBLE_DEVICES": "6,7", "NPROC_PER_NODE": 2},
        "rlhf_type": "grpo",
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "dataset": ["AI-MO/NuminaMath-TIR#1000", "more.jsonl"],
        "reward_funcs": ["accuracy", "format"],
        "reward_weights": ["1", "0.5"],
        "use_vllm": True,
        "vllm_mode": "server",
        "vllm_server_host": "127.0.0.1",
        "vllm_server_port": 8080,
        "vllm_server_timeout": 300,
        "max_completion_length": 2048,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 16,
        "num_generations": 8,
        "learning_rate": "1e-6",
        "beta": 0,
        "epsilon": "0.20",
        "seed": "007",
        "top_k": -1,
        "run_name": "0815",
        "log_completions": True,
        "system": 'You are "good".\nThink: it\'s 1 # 2.',
        "model_kwargs": '{"max_pixels": 1003520}',
        "output_dir": "output/grpo run",
    },
    "x.rollout.yaml": {
        "ENV": {"CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5"},
        "model": "Qwen/Qwen2.5-7B-Instruct",
        "system": 'You are "good".\nThink: it\'s 1 # 2.',
        "model_kwargs": '{"max_pixels": 1003520}',
        "seed": 7,
        "host": "127.0.0.1",
        "port": 8080,
        "vllm_tensor_parallel_size": 1,
        "vllm_data_parallel_size": 6,
        "vllm_max_model_len": 8192,
        "vllm_gpu_memory_utilization": 0.6,
        "vllm_enable_lora": False,
    },
}


@pytest.fixture
def script(root):
    """Writes x.sh, for ms-swift 4.5.2."""

    def script(text, version="4.5.2"):
        (root / "pyproject.toml").write_text(f'[tool.rollout-split]\nswift-version = "{version}"\n')
        (root / "x.sh").write_text(text)

    return script


def pair(root):
    return {file.name: yaml.safe_load(file.read_text()) for file in root.glob("*.yaml")}


def test_colocate_script_becomes_a_pair_and_stays(script, root, files, migrate):
    script(COLOCATE)
    before = files()
    shown = migrate("x.sh")
    assert (shown.code, files()) == (1, before)
    assert "--- /dev/null\n+++ b/x.yaml\n" in shown.out
    assert (migrate("--check", "x.sh").out, files()) == (
        "x.yaml: would be written\nx.rollout.yaml: would be written\n",
        before,
    )
    written = migrate("--write", "x.sh")
    assert (written.code, written.err, pair(root)) == (0, "", PAIR)
    assert (root / "x.sh").read_text() == COLOCATE
    checked = CliRunner().invoke(validate_config, ["x.yaml"])
    assert (checked.exit_code, checked.output) == (0, "")
    assert migrate("x.yaml").code == 0


def test_report_names_lines_of_the_script_and_what_stays_in_it(script, migrate):
    script(COLOCATE)
    out = migrate("--write", "x.sh").out
    assert "  changed  L16 -> L13    vllm_mode: colocate -> server" in out
    assert out[out.index("What else") :] == (
        "What else x.sh does, and what stays in it:\n"
        "  x.sh:3: set -e\n"
        "  x.sh:4: WANDB_API_KEY is not in x.yaml, because it is a secret; set it in the shell\n"
        "  x.sh:6: pip install -q math_verify\n"
        "  x.sh:10: `swift rlhf` goes on with: > train.log 2>&1 &\n"
        "  x.sh:29: wait\n"
        "x.yaml: written\n"
        "x.rollout.yaml: written\n"
    )
    assert "geheim123" not in out


@pytest.mark.parametrize(
    ("before", "said"),
    {
        "docker run --rm -e NPROC_PER_NODE=8 image": "docker run ... runs `swift rlhf` in a container",
        "ssh node NPROC_PER_NODE=8": "ssh node runs `swift rlhf` on another machine",
        "NPROC_PER_NODE=8 nohup": "nohup runs `swift rlhf`",
        "NPROC_PER_NODE=8 srun -n 1 nice -n 5": "srun ... runs `swift rlhf`",
        "time env NPROC_PER_NODE=8": "time runs `swift rlhf`",
        "sudo NPROC_PER_NODE=8": "sudo runs `swift rlhf`",
    }.items(),
)
def test_what_runs_the_call_is_named(before, said, script, root, migrate):
    script(f"cd x\n{before} {GRPO} --num_generations 8\n")
    ran = migrate("--write", "--to", "colocate", "x.sh")
    assert ran.code == 0, ran.err
    assert f"\n  x.sh:2: {said}; the pair does not\n" in ran.out
    assert pair(root)["x.yaml"]["ENV"] == {"NPROC_PER_NODE": 8}


def test_what_a_pair_does_as_well_is_not_named(script, migrate):
    call = GRPO.strip().removeprefix("swift rlhf")
    for before in ("exec env A=1 swift rlhf", "torchrun --nproc_per_node 8 -m swift.cli.rlhf"):
        script(f"{before}{call} --num_generations 8\n")
        ran = migrate("--to", "colocate", "x.sh")
        assert (ran.code, "the pair does not" in ran.out) == (1, False), ran.err


def test_json_report_has_it_all(script, root, migrate):
    script(COLOCATE)
    report = json.loads(migrate("--report", "json", "x.sh").out)
    assert [one["line"] for one in report["stays"]] == [3, 4, 6, 10, 29]
    assert {(one["key"], one["old_line"]) for one in report["changes"]} >= {("vllm_mode", 16), ("sleep_level", 27)}
    assert (report["written"], pair(root)) == (False, {})


def test_files_that_are_there_are_left_alone(script, root, migrate):
    script(COLOCATE)
    for name in ("x.yaml", "x.rollout.yaml"):
        (root / name).write_text("rlhf_type: grpo\n")
        ran = migrate("--write", "x.sh")
        assert (ran.code, (root / name).read_text()) == (2, "rlhf_type: grpo\n")
        assert f"{name}:1:1: is there already" in ran.err
        (root / name).unlink()
    assert migrate("--write", "--output-dir", "out", "x.sh").code == 0
    assert (pair(root), pair(root / "out")) == ({}, PAIR)


def test_script_beside_presets_in_one_call(script, root, migrate):
    script(COLOCATE)
    assert migrate("--write", "x.sh").code == 0
    (root / "y.yaml").write_text((root / "x.yaml").read_text().replace("mode: server", "mode: colocate"))
    assert migrate("--write", "--output-dir", "out", "x.sh", "x.yaml").code == 2
    (root / "z.sh").write_text(COLOCATE)
    ran = migrate("--write", "z.sh", "x.yaml")
    assert (ran.code, sorted(pair(root))) == (
        0,
        ["x.rollout.yaml", "x.yaml", "y.yaml", "z.rollout.yaml", "z.yaml"],
    )
    assert "x.yaml: nothing to do" in ran.out


GRPO = (
    "swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy"
    " --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 --num_generations 8 "
)
REFUSED = {
    "an unknown model": (GRPO.replace("Qwen/Qwen2.5-7B", '"$1"'), "x.sh:1:37: only a shell knows $1 in model"),
    "unknown learners": ("NPROC_PER_NODE=$N " + GRPO, "only a shell knows $N in NPROC_PER_NODE"),
    "two calls": (
        GRPO + "\n" + GRPO,
        "x.sh:2:1: calls `swift rlhf` with rlhf_type grpo several times (lines 1 and 2)",
    ),
    "an open quote": (GRPO + "--system 'x", "x.sh:1:202: the quote ' is never closed; close it first"),
    "words that miss": (GRPO + "\n --beta 1", "x.sh:2:2: `swift rlhf` has ended above"),
    "a server alone": ("swift rollout --model x", "a script that starts a server alone"),
    "too few GPUs": (
        "CUDA_VISIBLE_DEVICES=0,1 NPROC_PER_NODE=2 " + GRPO,
        "x.sh:1:22: CUDA_VISIBLE_DEVICES names 2 GPUs, but 6 roll out and 2 learn; set CUDA_VISIBLE_DEVICES",
    ),
    "several nodes": ("NNODES=2 NPROC_PER_NODE=8 " + GRPO, "NNODES is 2"),
    "Megatron": ("megatron rlhf --rlhf_type grpo", "Megatron-SWIFT"),
    "a value like an option": ("NPROC_PER_NODE=8 " + GRPO + "--stop_words=-x", "no pair can pass this on"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(text, said, script, files, migrate):
    script(text + "\n")
    before = files()
    ran = migrate("--write", "x.sh")
    assert (ran.code, files()) == (2, before), ran.out
    assert said in ran.err


@pytest.mark.parametrize(
    ("version", "said"), [("4.0.4", "does not read ENV"), ("4.2.1", "reads NPROC_PER_NODE in ENV too late")]
)
def test_release_that_reads_no_such_yaml_is_refused(version, said, script, migrate):
    script(COLOCATE.replace("--tuner_type lora", ""), version)
    ran = migrate("--write", "x.sh")
    assert ran.code == 2
    assert said in ran.err


def test_suffix_is_for_presets(script, migrate):
    script(COLOCATE)
    assert "x.sh:1:1: is a script, which stays as it is" in migrate("--suffix", "_server", "x.sh").err


def test_what_only_a_shell_knows_is_left_out_and_named(script, root, migrate):
    script(GRPO + '--output_dir out/$(date +%s) "$@"\n')
    ran = migrate("--write", "x.sh", "--rollout-gpus", "1", "--train-gpus", "1")
    assert ran.code == 0, ran.err
    assert "output_dir" not in pair(root)["x.yaml"]
    assert "--output_dir out/$(date +%s) is not in x.yaml; pass it behind the file: swift rlhf x.yaml" in ran.out
    assert "$@ is not in x.yaml, which is made as if it brought nothing; pass it behind the file" in ran.out


@pytest.mark.parametrize(
    ("before", "option"),
    [
        ("export HF_TOKEN=hf_Hush1234567\n", "--hub_token $HF_TOKEN"),
        ("", "--hub_token hf_Hush1234567"),
        ("", "--swanlab_token Hush1234567"),
        ("", """--model_kwargs '{"api_key": "Hush1234567"}'"""),
        ("", "--external_plugins https://me:Hush1234567@host/plugin.py"),
    ],
)
def test_an_argument_that_holds_a_secret_is_in_no_file_and_is_named(before, option, script, root, migrate):
    script(f"{before}{GRPO}{option} --num_generations 8\n")
    ran = migrate("--write", "--to", "colocate", "x.sh")
    assert ran.code == 0, ran.err
    assert "Hush" not in (root / "x.yaml").read_text() + ran.out + ran.err
    assert f"x.yaml does not get a secret; pass it behind the file: {option.split()[0]}\n" in ran.out


@pytest.mark.parametrize("option", ["--log_completions TRUE", "--log_completions tRue", "--beta 0.5"])
def test_spellings_of_booleans_and_names_like_values_mean_the_same(option, script, root, migrate):
    script(f"export NULL=null ON=on\n{GRPO}{option}\n")
    ran = migrate("--write", "--to", "colocate", "x.sh")
    assert ran.code == 0, ran.err
    written = pair(root)["x.yaml"]
    assert (written["ENV"]["NULL"], written["ENV"]["ON"]) == ("null", "on")
    assert str(written[option.split()[0][2:]]).lower() in ("true", "0.5")


def argv(half):
    """What ms-swift 4.5.2 makes of a file (cli/main.py, parse_yaml_args)."""
    words = []
    for name, value in half.items():
        if name != "ENV":
            words.append(f"--{name}")
            words += value if isinstance(value, list) else [str(value)]
    return words


def as_bash_calls(text, folder):
    swift = """swift() { [ "$1" = rlhf ] && printf '%s\\0' "${@:2}"; }"""
    prelude = f"""{swift}\nnohup() {{ "$@"; }}\ntee() {{ cat; }}\n"""
    quiet = text.replace("pip install", "true").replace("> train.log 2>&1 &", "").replace("sleep 60", "")
    done = subprocess.run(["bash", "-c", prelude + quiet], cwd=folder, capture_output=True, check=False)
    return done.stdout.decode().split("\0")[:-1]


def by_option(words):
    """The words by option, in the spelling of a file."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("--") and " " not in name:
            here = found[name.removeprefix("--").replace("-", "_")] = [value] if equals else []
        else:
            here.append(word)
    return {name: [word.lower() if word in ("True", "False") else word for word in here or ["true"]]
            for name, here in found.items()}  # fmt: skip


SAME = {
    "all kinds of values": COLOCATE,
    **{
        file.stem: file.read_text()
        for file in sorted(EXAMPLES.glob("shell-*/good/*.sh"))
        if "colocate" in file.read_text()
        and "rlhf_type dpo" not in file.read_text()
        and "train()" not in file.read_text()
    },
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_pair_gives_ms_swift_the_words_that_bash_gives_it(text, script, root, migrate):
    script(text)
    assert migrate("--write", "--to", "colocate", "x.sh").code == 0
    truth = by_option(as_bash_calls(text, root))
    assert by_option(argv(pair(root)["x.yaml"])) == truth
    assert len(truth) > 5
