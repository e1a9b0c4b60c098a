"""What findings advise: no fix proposes what another finding forbids, and severities are as bad as the outcome."""

import pytest

FLAT = """\
rlhf_type: grpo
model: models/none
dataset: train.jsonl
reward_funcs: accuracy
per_device_train_batch_size: 4
num_generations: 4
max_completion_length: 1024
use_vllm: true
vllm_mode: server
"""
ADDRESS = "vllm_server_host: 127.0.0.1\nvllm_server_port: 8080\n"
OWNED = 'training = ["curriculum_stage"]\n'
BY_MIGRATION = " (`migrate-config --write` does it)"
HALF = "model: models/none\nhost: 127.0.0.1\nport: 8080\n"


@pytest.fixture
def pair(write, validate):
    """Findings of a flat pair, each as severity[rule] and fix."""

    def pair(learner, server, *options, base=FLAT + ADDRESS, half=HALF):
        write("x.rollout.yaml", half + server)
        found = validate("--format", "json", *options, write("x.yaml", base + learner)).findings
        return [(f"{one['severity']}[{one['rule']}]", one["fix"]) for one in found]

    return pair


@pytest.mark.parametrize(
    ("learner", "half", "fixes"),
    [
        # one address for both files
        ("vllm_server_host: 0.0.0.0\nvllm_server_port: 8080\n", HALF, ["set vllm_server_host to 127.0.0.1"]),
        ("vllm_server_host: 127.0.0.1\nvllm_server_port: 0\n", HALF, ["set vllm_server_port to 8080"]),
        (
            "vllm_server_host: 10.0.0.1\nvllm_server_port: 8080\n",
            "model: models/none\nhost: 10.0.0.1\nport: 8080\n",
            ["set vllm_server_host and x.rollout.yaml: host to 127.0.0.1"],
        ),
        (
            "vllm_server_host: 10.0.0.1\nvllm_server_port: 8080\n",
            "model: models/none\nhost: 0.0.0.0\nport: 8080\n",
            ["set host to 127.0.0.1", "set vllm_server_host to 127.0.0.1"],
        ),
        (
            "vllm_server_host: [10.0.0.1, 10.0.0.2]\nvllm_server_port: ['8000', '8001']\n",
            HALF,
            ["set vllm_server_host to 127.0.0.1, and vllm_server_port to 8080"],
        ),
        (
            "vllm_server_base_url: http://localhost:9000\n",
            "model: models/none\nhost: 127.0.0.1\nport: 9000\n",
            [f"remove it, and set vllm_server_host to localhost, and vllm_server_port to 9000{BY_MIGRATION}"],
        ),
        (
            "vllm_server_host: 127.0.0.1\nvllm_server_port: 51216\n",
            "model: models/none\nhost: 127.0.0.1\nport: 51216\n",
            ["set vllm_server_port and x.rollout.yaml: port to 8080"],
        ),
        (
            "vllm_server_host: 127.0.0.1\nvllm_server_port: 51216\nvllm_server_group_port: 51216\n",
            "model: models/none\nhost: 127.0.0.1\nport: 51216\n",
            ["set it to 51217"],
        ),
    ],
)
def test_fixes_of_an_address_agree(pair, learner, half, fixes):
    assert [fix for _, fix in pair("", "", base=FLAT + learner, half=half)] == fixes


@pytest.mark.parametrize(
    ("learner", "server", "options", "found"),
    [
        ("", "", ("--rollout-gpus", "2"), [("error[rollout-gpus]", "set vllm_data_parallel_size to 2")]),
        (
            "",
            "vllm_use_async_engine: true\n",
            ("--rollout-gpus", "2"),
            [("error[rollout-gpus]", "change vllm_tensor_parallel_size or the number of rollout GPUs")],
        ),
        (
            "",
            "",
            ("--rollout-gpus", "2", "--swift-version", "4.1.0"),
            [("error[rollout-gpus]", "change vllm_tensor_parallel_size or the number of rollout GPUs")],
        ),
        (
            "max_length: 6000\n",
            "max_length: 6000\nvllm_max_model_len: 6500\n",
            (),
            [("warning[max-model-len]", "set vllm_max_model_len to 7024")],
        ),
        (
            "max_length: 6000\n",
            "max_length: 6000\nvllm_max_model_len: 6000\n",
            (),
            [("error[max-model-len]", "set vllm_max_model_len to 7024")],
        ),
        (
            "",
            "vllm_max_model_len: 1024\n",
            (),
            [("warning[max-model-len]", "raise it by the tokens of a prompt, or lower max_completion_length")],
        ),
        ("", "vllm_max_model_len: 1025\n", (), []),
        (
            "truncation_strategy: right\n",
            "truncation_strategy: delete\n",
            (),
            [("error[truncation-strategy]", "set truncation_strategy to delete")],
        ),
        ("system: Be brief.\n", "", (), []),
        (
            "system: Be brief.\n",
            "system: Be long.\n",
            (),
            [("warning[sides-differ]", "set system only in x.yaml")],
        ),
        ("", "system: Be long.\n", (), [("error[sides-differ]", "set system only in x.yaml")]),
        ("max_length: 2000\ntruncation_strategy: delete\n", "", (), []),
        ("max_length: 2000\n", "", (), [("warning[sides-differ]", "set the same value in both files")]),
        (
            "lora_rank: 24\n",
            "vllm_enable_lora: true\n",
            (),
            [("error[vllm-lora]", "set vllm_max_lora_rank to 32")],
        ),
        ("", "vllm_max_lora_rank: 32\n", (), [("warning[vllm-lora]", "remove it")]),
        (
            "vllm_max_num_seqs: 8\n",
            "vllm_max_num_seqs: 16\n",
            (),
            [("error[server-field-in-rlhf]", "remove it; x.rollout.yaml: vllm_max_num_seqs is set")],
        ),
    ],
)
def test_findings_of_a_pair(pair, learner, server, options, found):
    assert pair(learner, server, *options) == found


@pytest.mark.parametrize(
    ("text", "base", "fix"),
    [
        ("rlhf: {vllm_enable_lora: true}", "server", "remove it; custom.extra.rollout_server.vllm_enable_lora is"),
        ("rlhf: {vllm_max_lora_rank: 8}", "server", "remove it; the server of this layout gets merged weights"),
        ("rlhf: {vllm_pipeline_parallel_size: 2}", "server", "remove it; a rollout server has no pipeline stages"),
        ("custom: {extra: {rollout_server: {temperature: 1.0}}}", "server", "move it to rlhf\n"),
        ("custom: {extra: {rollout_server: {num_generations: 4}}}", "server", "remove it (`mig"),
        ("custom: {extra: {rollout_server: {vllm_server_base_url: [a]}}}", "server", "remove it (`mig"),
        (
            "custom: {extra: {rollout_server: {vllm_engine_kwargs: {max_model_len: 1}}}}",
            "server",
            "remove it\n",
        ),
        (
            "custom: {extra: {rollout_server: {vllm_engine_kwargs: {enforce_eager: true}}}}",
            "server",
            "set vllm_enforce_eager instead\n",
        ),
        ("rlhf: {vllm_engine_kwargs: {disable_custom_all_reduce: true}}", "colocate", "remove it\n"),
        ("rlhf: {vllm_engine_kwargs: {dtype: auto}}", "colocate", "remove it\n"),
        ("rlhf: {vllm_max_model_len: 1024}", "colocate", "set vllm_max_model_len to 4096\n"),
        ("rlhf: {num_generations: 1}", "server", "set num_generations to 2\n"),
        (
            (
                "rlhf: {num_generations: 3, steps_per_generation: 2, generation_batch_size: 30}\n"
                "training: {per_device_eval_batch_size: 3}"
            ),
            "server",
            "set generation_batch_size to 36, and remove steps_per_generation\n",
        ),
        ("training: {warmup_ratio: 2.0}", "server", "set it to a share below 1\n"),
        ("training: {warmup_ratio: 0.1, warmup_steps: 5}", "server", "remove warmup_steps\n"),
    ],
)
def test_fix_proposes_nothing_that_is_forbidden(validate, preset, text, base, fix):
    assert f"fix: {fix}" in validate("--swift-version", "4.5.2", preset(text, base=f"{base}.yaml")).out


def test_group_that_is_proposed_fills_both_batches(validate, preset):
    sizes = "per_device_train_batch_size: 15, per_device_eval_batch_size: 5, effective_batch_size: 45"
    leaf = preset(f"rlhf: {{num_generations: 1, generation_batch_size: 45}}\ntraining: {{{sizes}}}")
    assert "fix: set num_generations to 3\n" in validate(leaf, "--train-gpus", "3").out


def test_gpus_of_a_node_are_split_as_each_preset_says(write, validate, preset):
    write(
        "pyproject.toml", '[tool.rollout-split]\ngpus = 8\nrepository-keys = {training = ["curriculum_stage"]}\n'
    )
    two = preset("custom: {extra: {rollout_server: {vllm_data_parallel_size: 2}}}", "two.yaml")
    assert (
        "not divisible by per_device_train_batch_size 2 x W = 6 (what the server leaves of gpus"
        in validate(two).out
    )
    assert validate("--rollout-gpus", "0,1", two).code == 1
    assert validate("server.yaml").out == ""
    all_of_it = preset("custom: {extra: {rollout_server: {vllm_data_parallel_size: 8}}}", "all.yaml")
    assert "TP 1 x DP 8 = 8, but gpus in pyproject.toml is 8: none is left" in validate(all_of_it).out
    assert validate(all_of_it, "--train-gpus", "2").out == ""
