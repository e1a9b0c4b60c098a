"""validate-config: what its messages say, and the answers to questions."""

import json
import re
from pathlib import Path

import pytest
import yaml

from schema.rules import RULES
from tests.schema.complete import TESTS

# --- Messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "rlhf: {vllm_server_timout: 1}",
            "unknown key rlhf.vllm_server_timout; did you mean vllm_server_timeout?",
        ),
        (
            "rlhf: {tensor_parallel_size: 1}",
            "unknown key rlhf.tensor_parallel_size; did you mean vllm_tensor_parallel_",
        ),
        ("rlhf: {gpu_memory_utilization: 1}", "did you mean vllm_gpu_memory_utilization?"),
        ("rlhf: {max_prompt_length: 1}", "did you mean max_length?"),
        ("rlhf: {num_generation: 4}", "did you mean num_generations?"),
        ("rhlf: {}", "unknown section rhlf; did you mean rlhf?"),
        ("custom: {extra: {rollout_server: {max_num_seqs: 1}}}", "did you mean vllm_max_num_seqs?"),
        ("custom: {extra: {rollout_server: {vllm_enforce_eagr: true}}}", "did you mean vllm_enforce_eager?"),
        ("training: {served_model_name: a}", "it is an argument of `swift rollout`, not of the learner"),
        ("deepspeed: {enable: true}", "unknown key deepspeed.enable; did you mean enabled?"),
    ],
)
def test_unknown_key_gets_a_hint(validate, preset, text, message):
    ran = validate(preset(text))
    assert ran.code == 1
    assert message in ran.out


def test_key_that_looks_like_nothing_gets_no_hint(validate, preset):
    assert "did you mean" not in validate(preset("rlhf: {zzz: 1}\nzzz: {}")).out


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("rlhf: {generation_batch_size: 30}", "set generation_batch_size to 32"),
        ("rlhf: {generation_batch_size: 32, num_generations: 6}", "set generation_batch_size to 36"),
        ("training: {effective_batch_size: 30}", "set effective_batch_size to 32"),
        ("training: {per_device_eval_batch_size: 3}", "set per_device_eval_batch_size to 2"),
        ("rlhf: {num_generations: 100000000000001}", "set per_device_eval_batch_size to 100000000000001"),
        ("custom: {extra: {rollout_server: {vllm_max_model_len: 1000}}}", "set vllm_max_model_len to 4096"),
        ("rlhf: {vllm_server_host: [a]}", 'set rlhf.vllm_server_host to ["127.0.0.1"]'),
        ("training: {no_cuda: false}", "rename it to use_cpu"),
        ("custom: {threshold: 1e-6}", "write 1.0e-06 for the number, or quote it for the text"),
        ("custom: {threshold: 1e400}", "write .inf for the number, or quote it for the text"),
        ("training: {learning_rate: 1e-6}", "write 1.0e-06"),
        ('training: {learning_rate: "1e-6"}', "write 1.0e-06"),
        ('training: {bf16: "yes"}', "write true"),
        ("training: {bf16: 0}", "write false"),
        ("training: {logging_steps: '5'}", "write 5"),
        ("training: {run_name: 2024}", "quote it"),
        ("training: {run_name: yes}", "quote it"),
        ("training: {callbacks: lisa}", "make it a list"),
        ("data: {interleave_prob: ['0.5', 0.5]}", "set every item to a number"),
        ('quantization: {quant_method: bnb, quant_bits: "4"}', "write 4"),
        ('rlhf: {temperature: "0.7"}', "write 0.7"),
        ("rlhf: {temperature: 7e-1}", "write 0.7"),
    ],
)
def test_fix_is_named(validate, preset, text, fix):
    assert f"    fix: {fix}\n" in without_blame(validate(preset(text), "--rollout-gpus", "6").out)


def without_blame(text):
    """A report without the words that say in which file to make the change, and what makes it."""
    return re.sub(r"; server.yaml is right by itself, .*| \(`migrate-config --fix` does it\)", "", text)


def test_fix_of_the_topology(validate, preset):
    leaf = preset("custom: {extra: {rollout_server: {vllm_tensor_parallel_size: 2}}}")

    def fixes(gpus):
        return without_blame(validate(leaf, "--rollout-gpus", gpus).out)

    assert "fix: set vllm_data_parallel_size to 3\n" in fixes("6")
    assert "or the number of rollout GPUs\n" in fixes("7")
    assert "idle GPUs" in fixes("13")
    assert "ValueError" in fixes("11")


# --- Questions --------------------------------------------------------------------------------------------------


def test_every_rule_is_listed(validate):
    ran = validate("--list-rules")
    assert (ran.code, ran.err) == (0, "")
    assert validate("--explain", "all") == ran
    listed = [line.split() for line in ran.out.splitlines() if line.startswith(" ")]
    assert [name for name, *_ in listed[: len(RULES)]] == [*RULES]
    assert {severity for _, severity, *_ in listed} == {"error", "warning"}
    assert all(len(words) > 3 for words in listed)


@pytest.mark.parametrize("rule", [*RULES])
def test_rule_is_explained(validate, rule):
    ran = validate("--explain", rule)
    head, *body, last = ran.out.splitlines()
    assert (ran.code, head) == (0, f"{rule} ({RULES[rule].severity.value})")
    assert "".join(body).strip()
    page = Path(last.removeprefix("Its page is "))
    assert f"# {rule}\n" in page.read_text()


def test_json_schema_knows_the_keys_of_the_shipped_presets(validate):
    ran = validate("--json-schema")
    properties = json.loads(ran.out)["properties"]
    assert (ran.code, ran.err) == (0, "")
    for file in (TESTS / "presets").rglob("*.yaml"):
        assert yaml.safe_load(file.read_text()).keys() <= properties.keys()


def test_version_and_help(validate):
    assert validate("--version").code == validate("--help").code == 0
    assert "Exit status:" in validate("-h").out


@pytest.mark.parametrize(
    ("text", "base", "fix"),
    [
        ("rlhf: {tensor_parallel_size: 1}", "server", "remove it; custom.extra.rollout_server.vllm_tensor_"),
        ("rlhf: {max_num_seqs: 1}", "server", "move it to custom.extra.rollout_server.vllm_max_num_seqs"),
        ("rlhf: {sleep_levl: 1}", "server", "remove it\n"),
        ("rlhf: {max_num_seqs: 1}", "colocate", "rename it to vllm_max_num_seqs"),
        ("rlhf: {gpu_memory_utilization: 0.5}", "colocate", "rename it to vllm_gpu_memory_utilization (`mig"),
        ("rlhf: {data_parallel_size: 1}", "colocate", "remove it\n"),
        ("rlhf: {vllm_server_hosts: [a]}", "colocate", "remove it\n"),
        ("rlhf: {vllm_reasoning_parsr: a}", "colocate", "remove it\n"),
        ("custom: {extra: {rollout_server: {tensor_parallel_size: 1}}}", "server", "remove it\n"),
        ("custom: {extra: {rollout_server: {vllm_reasoning_parsr: a}}}", "server", "rename or remove it\n"),
    ],
)
def test_fix_names_no_key_that_another_finding_forbids(validate, preset, text, base, fix):
    assert f"fix: {fix}" in validate(preset(text, base=f"{base}.yaml")).out
