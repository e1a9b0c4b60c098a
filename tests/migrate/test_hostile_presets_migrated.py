"""migrate-config on hostile files: nothing raw, nothing secret, JSON always, nothing fails late."""

import json
import re
import subprocess
import sys

import pytest

RAW = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u202e]|\r(?!\n)")
FLAT = """rlhf_type: grpo
model: m
dataset: a.jsonl
reward_funcs: accuracy
num_generations: 4
per_device_train_batch_size: 4
gradient_accumulation_steps: 4
max_completion_length: 512
use_vllm: true
vllm_mode: colocate
"""
ADDRESS = "vllm_server_host: 127.0.0.1\nvllm_server_port: 8000\n"
SERVER = FLAT.replace("colocate", "server") + ADDRESS
ROLLOUT = "model: m\nhost: 127.0.0.1\nport: 8000\nvllm_tensor_parallel_size: 1\nvllm_data_parallel_size: 6\n"
SECRETS = """hub_token: hf_Hush123456
ENV:
  HF_TOKEN: Hush234567   # token: Hush345678
  WANDB_API_KEY: |
    Hush456789
    Hush567890
  # api_key: Hush678901
  VLLM_API_KEY: "Hu\\x73h789012"
  VLLM_PROXY: http://me:Hush890123@proxy
  SHORT_KEY: Hush
"""


@pytest.fixture
def pair(root):
    """Writes a pair, or its learner's half."""

    def pair(learner, server=None):
        (root / "x.yaml").write_text(learner, newline="")
        if server is not None:
            (root / "x.rollout.yaml").write_text(server)
        return "x.yaml"

    return pair


@pytest.mark.parametrize("words", [[], ["--report", "json"], ["--write"], ["--check"]])
def test_secrets_stand_in_no_report(pair, migrate, words):
    ran = migrate(pair(FLAT + SECRETS), "--train-gpus", "2", *words)
    assert ran.code == int("--write" not in words), ran.err
    assert "Hush" not in ran.out + ran.err
    assert "Hu\\x73h" not in ran.out
    said = json.loads(ran.out)["changes"] if "json" in words else []
    assert {change["key"]: change["new"] for change in said}.get("ENV.HF_TOKEN", "***") == "***"


def test_secrets_stand_in_no_report_of_the_way_back(pair, migrate):
    server = f"{ROLLOUT}# old: api_key: Hush111111\napi_key: Hush222222\n" + SECRETS.replace(
        "hub_token", "other_key"
    )
    ran = migrate(pair(SERVER + SECRETS, server), "--to", "colocate", "--train-gpus", "2")
    assert (ran.code, "Hush" in ran.out + ran.err) == (1, False), ran.err
    assert "HF_TOKEN: ***" in ran.out


def test_a_diff_says_that_it_cannot_be_applied(pair, migrate):
    said = "This diff cannot be applied: it stars secrets, or escapes what is not printable.\n"
    assert said not in migrate(pair(FLAT + "# é 模 tab\tand CRLF\r\n")).out
    assert migrate(pair(FLAT + "hub_token: x\n")).out.count(said) == 2
    odd = migrate(pair(FLAT.replace("vllm_mode: colocate", "vllm_mode: colocate # \u202e turned")))
    assert (said in odd.out, RAW.search(odd.out)) == (True, None)
    assert said not in migrate(pair(f"# \u202e turned, and far away\n#\n#\n#\n#\n{FLAT}")).out


def test_what_is_written_keeps_its_secrets(pair, root, migrate):
    assert migrate("--write", pair(FLAT + SECRETS)).code == 0
    assert "WANDB_API_KEY: |\n    Hush456789\n" in (root / "x.yaml").read_text()
    assert "HF_TOKEN: Hush234567" in (root / "x.rollout.yaml").read_text()


@pytest.mark.parametrize(
    "args",
    [
        ["--port", "x", "x.yaml"],
        ["--nonsense", "x.yaml"],
        ["--write", "--check", "x.yaml"],
        [],
        ["--to", "elsewhere", "x.yaml"],
        ["none.yaml"],
        ["--rollout-gpus", "99999999", "x.yaml"],
    ],
)
def test_usage_errors_are_json_too(pair, migrate, args):
    pair(FLAT)
    for words in (["--report", "json", *args], [*args, "--report", "json"]):
        ran = migrate(*words)
        found = json.loads(ran.out)
        assert (ran.code, found["written"], found["changes"]) == (2, False, [])
        assert found["error"]["message"]


def test_a_defect_is_json_too(pair, migrate, monkeypatch):
    def fails(*_):
        raise RuntimeError("of hub_token: hush")

    monkeypatch.setattr("migrate.commands.plan_all", fails)
    ran = migrate("--report", "json", pair(FLAT))
    assert (ran.code, json.loads(ran.out)["error"]["message"]) == (3, "of hub_token: ***")


@pytest.mark.parametrize("encoding", ["ascii:surrogateescape", "ascii:strict", "latin-1", "utf-8"])
def test_nothing_fails_after_the_files_are_written(pair, root, encoding):
    preset = pair(SERVER, ROLLOUT + "# é gone with it 模\nvllm_max_model_len: 8192\n")
    command = [sys.executable, "-c", "from migrate.cli import main; main()", "--to", "colocate", "--write", preset]
    ran = subprocess.run(command, env={"PYTHONIOENCODING": encoding}, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert not (root / "x.rollout.yaml").exists()


def test_a_server_without_a_mode_goes_back(pair, root, migrate):
    preset = pair(SERVER.replace("vllm_mode: server\n", ""), ROLLOUT)
    assert migrate("--to", "colocate", preset).code == 1
    assert migrate("--to", "colocate", "--write", preset).code == 0
    assert "use_vllm: true\nvllm_mode: colocate\n" in (root / "x.yaml").read_text()
    assert not (root / "x.rollout.yaml").exists()


@pytest.mark.parametrize(
    "rest", ["api_key: null\n", "ENV: null\n", "stop_words: []\n", "api_key: # none\nENV: {}\n"]
)
def test_what_says_nothing_goes_with_the_server_s_file(pair, root, migrate, rest):
    ran = migrate("--to", "colocate", "--write", pair(SERVER, ROLLOUT + rest))
    assert (ran.code, (root / "x.rollout.yaml").exists()) == (0, False), ran.err


@pytest.mark.parametrize(
    ("learner", "server"),
    [
        (FLAT + "model_kwargs: {a: 2024-01-04}\n", None),
        (FLAT + "model_kwargs: {a: !!binary aGk=}\n", None),
        (FLAT + "2024-01-04: 1\n", None),
        (FLAT + "ENV: {2024-01-04: 1}\n", None),
        (FLAT + "model_kwargs: {!!binary aGk= : 1}\n", None),
        (SERVER, ROLLOUT + "null: 1\n"),
        (SERVER, ROLLOUT.replace("size: 6", "size: 99999999999999999999")),
        (SERVER, ROLLOUT.replace("size: 6", "size: -1")),
        (FLAT + "ENV: {NPROC_PER_NODE: 99999999999, CUDA_VISIBLE_DEVICES: 0}\n", None),
        (FLAT + "ENV: {NPROC_PER_NODE: 8, NNODES: [1]}\n", None),
        (FLAT + "# " + "x" * 70_000 + "\n", None),
        (SERVER, ROLLOUT + "".join(f"unknown_{number}: 1\n" for number in range(700))),
    ],
)
@pytest.mark.parametrize("to", ["server", "colocate"])
def test_odd_values_are_refused_or_carried(pair, files, migrate, learner, server, to):  # noqa: PLR0917
    preset = pair(learner, server)
    before = files()
    ran = migrate("--to", to, "--report", "json", "--write", preset)
    assert ran.code in (0, 2), ran.err
    assert json.loads(ran.out)["written"] is (files() != before)
    assert ran.code == 0 or files() == before
