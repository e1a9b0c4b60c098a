"""The command lines that a preset means, and the plans that run them."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from launch import checked
from launch.argv import arguments as argv
from launch.argv.facts import differences
from launch.argv.facts import resolved_model
from launch.argv.plan import Plan
from launch.argv.plan import learner_plan
from launch.argv.plan import server_plan
from launch.options import Request
from launch.run.server import probeable
from schema.audit import Audit
from schema.check import Options
from schema.check import context
from schema.check import load
from schema.errors import InputError
from schema.resolve import Workspace
from schema.split.gpus import Gpus
from schema.split.gpus import parse_list
from tests.launch.bench import REPO
from tests.launch.bench import SMOKE

COLOCATE = REPO / "tests/presets/colocate/configs/train/grpo/summary_1024.yaml"
ONE = Gpus(1, ("0",))


def about(path, rollout=None, train=None):
    workspace = Workspace()
    return context(workspace, load(workspace, path), Options(rollout, train))


def planned(path, side, gpus, entry=None, release=None):
    """The plan of one side for these GPUs, and what was found."""
    request = Request(side, path, parse_list(gpus), entry=entry)
    served, learned = (request.gpus, None) if side == "server" else (None, request.gpus)
    options = Options(served, learned, release)
    return checked.plan(checked.side_context(request, options), request, options)


@pytest.fixture
def preset(tmp_path):
    """Writes the smoke preset with some of its text replaced."""

    def write(*edits):
        text = SMOKE.read_text()
        for old, new in edits:
            assert text.count(old) == 1
            text = text.replace(old, new)
        path = tmp_path / "preset.yaml"
        path.write_text(text)
        return path

    return write


def pairs(words):
    """Options and the words that follow each."""
    found = {}
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            found[name] = [value] if equals else []
        else:
            found[name].append(word)
    return found


def learner(path, world=1):
    words = argv.learner(about(path), world)
    return pairs(words[words.index("swift.cli.rlhf") + 1 :])


# The server's command


def test_server_gets_what_both_sides_share_where_to_listen_and_its_block(preset):
    words = argv.server(about(preset()))
    assert words[:2] == ("swift", "rollout")
    assert list(pairs(words[2:]).items()) == [
        ("--model", ["build/smoke/model"]),
        ("--model_type", ["qwen3"]),
        ("--torch_dtype", ["bfloat16"]),
        ("--template", ["qwen3"]),
        ("--truncation_strategy", ["delete"]),
        ("--seed", ["17"]),
        ("--host", ["127.0.0.1"]),
        ("--port", ["8080"]),
        ("--vllm_tensor_parallel_size", ["1"]),
        ("--vllm_data_parallel_size", ["1"]),
        ("--vllm_max_model_len", ["512"]),
        ("--vllm_gpu_memory_utilization", ["0.3"]),
        ("--vllm_enable_lora", ["false"]),
        ("--vllm_enforce_eager", ["true"]),
    ]


def test_server_gets_mappings_as_json_and_no_nulls(preset):
    block = (
        "vllm_limit_mm_per_prompt: {image: 2, video: 0}\n      vllm_quantization: null\n      vllm_enforce_eager:"
    )
    words = pairs(argv.server(about(preset(("vllm_enforce_eager:", block))))[2:])
    assert words["--vllm_limit_mm_per_prompt"] == ['{"image": 2, "video": 0}']
    assert "--vllm_quantization" not in words


# The learner's command


def test_learner_runs_one_process_a_gpu(preset):
    words = learner_plan(about(preset()), Gpus(3, ("4", "5", "6"))).argv
    assert words[:5] == ("torchrun", "--standalone", "--nproc_per_node=3", "-m", "swift.cli.rlhf")


def test_learner_gets_no_nulls_no_empty_lists_and_no_keys_of_the_repository(preset, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.rollout-split]\nrepository-keys = {rlhf = ["our_key"]}\n')
    path = preset(
        ("  lora_rank: 8\n", "  lora_rank: 8\n  target_regex: null\n  modules_to_save: []\n"),
        ("  max_steps: 3", "  save_delay_steps: 10\n  max_steps: 3"),
        ("  rlhf_type: grpo\n", "  rlhf_type: grpo\n  our_key: 1\n"),
    )
    words = learner(path)
    absent = ("target_regex", "modules_to_save", "save_delay_steps", "effective_batch_size", "our_key")
    assert not [name for name in absent if f"--{name}" in words]
    assert not [name for name in words if name.startswith(("--global_max_length", "--extra", "--enabled"))]


def test_learner_gets_lists_word_by_word_and_mappings_as_json(preset):
    path = preset(
        ("target_modules: [all-linear]", "target_modules: [q_proj, 'a b', \"it's\"]"),
        ("  bf16: true", "  lr_scheduler_kwargs: {min_lr: 1.0e-6, note: é}\n  bf16: true"),
    )
    words = learner(path)
    assert words["--target_modules"] == ["q_proj", "a b", "it's"]
    assert json.loads(words["--lr_scheduler_kwargs"][0]) == {"min_lr": 1e-6, "note": "é"}
    assert "é" in words["--lr_scheduler_kwargs"][0]
    assert words["--bf16"] == ["true"]
    assert words["--eval_strategy"] == ["no"]


def test_text_that_begins_with_a_dash_stays_with_its_option(preset):
    path = preset(("template: qwen3\n", "template: qwen3\n  system: -- be brief --\n"), ("seed: 17", "seed: -1"))
    for words in (argv.server(about(path)), argv.learner(about(path), 1)):
        assert "--system=-- be brief --" in words
        assert words[words.index("--seed") + 1] == "-1"


def test_a_later_section_wins(preset):
    path = preset(("template: qwen3\n", "template: qwen3\n  truncation_strategy: right\n"))
    assert learner(path)["--truncation_strategy"] == ["delete"]


@pytest.mark.parametrize(("world", "accumulation"), [(1, "4"), (2, "2"), (4, "1")])
def test_accumulation_follows_from_the_effective_batch_size(preset, world, accumulation):
    path = preset(("per_device_train_batch_size: 4", "per_device_train_batch_size: 1"))
    assert learner(path, world)["--gradient_accumulation_steps"] == [accumulation]


def test_accumulation_stays_where_there_is_no_effective_batch_size(preset):
    path = preset(("effective_batch_size: 4 ", "gradient_accumulation_steps: 3 "))
    assert learner(path)["--gradient_accumulation_steps"] == ["3"]


def test_max_length_is_the_room_for_a_prompt(preset):
    assert learner(preset())["--max_length"] == [str(512 - 64)]
    assert learner(preset(("template: qwen3\n", "template: qwen3\n  max_length: 100\n")))["--max_length"] == [
        "100"
    ]
    assert "--max_length" not in learner(preset(("global_max_length: 512", "global_max_length: null")))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("enabled: true\n  config: zero2", ["zero2"]),
        ("enabled: false\n  config: zero2", None),
        ("config: zero2", None),
        ("enabled: true\n  config: {train_batch_size: auto}", ['{"train_batch_size": "auto"}']),
    ],
)
def test_deepspeed_only_where_it_is_enabled(preset, section, words):
    assert learner(preset(("enabled: true\n  config: zero2", section))).get("--deepspeed") == words


def test_entry_gets_the_preset_alone(preset):
    path = preset()
    plan = learner_plan(about(path), Gpus(2, ("6", "7")), "my_repo.train")
    assert plan.argv == (
        *("torchrun", "--standalone", "--nproc_per_node=2", "-m", "my_repo.train"),
        *("--config", str(path)),
    )


@pytest.mark.parametrize("entry", ["", "-c", "my-repo.train", "my_repo/train.py", "my_repo.", "a b"])
def test_entry_must_be_a_module(preset, entry):
    with pytest.raises(InputError, match="is not the name of a Python module"):
        learner_plan(about(preset()), ONE, entry)


# Plans


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (None, ["data.dataset is ['dummy']", "summary.format, summary.header and 8 more"]),
        ("my.train", []),
    ],
)
def test_a_learner_that_only_a_training_repository_can_run_is_told_so(entry, told):
    preset = REPO / "configs/train/grpo/summary_1024.yaml"
    made, found = planned(preset, "learner", "6,7", entry)
    assert made is not None
    said = [finding.message for finding in found if finding.rule == "needs-entry"]
    assert len(said) == len(told)
    assert all(any(text in message for message in said) for text in told)


def test_plan_of_the_server(preset):
    plan = server_plan(about(preset()), Gpus(1, ("3",)))
    assert plan.environment == {"CUDA_VISIBLE_DEVICES": "3"}
    assert {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} < set(plan.unset)
    assert plan.gpus == ("3",)
    assert plan.server.model_dump(exclude={"settings", "digest"}) == {
        "host": "127.0.0.1",
        "port": 8080,
        "group_port": 51216,
        "tensor_parallel_size": 1,
        "data_parallel_size": 1,
        "vllm_max_model_len": 512,
        "model": resolved_model("build/smoke/model"),
    }
    assert plan.server.world_size == 1
    assert plan.server.settings["vllm_enforce_eager"] == "true"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["127.0.0.1"]', "[10.0.0.1]", "names no address where its server can listen"),
        ("[8080]", "[8080, 8081]", "names no address where its server can listen"),
        ("    rollout_server:", "    other_server:", "has no settings of a server that could be started"),
    ],
)
def test_a_preset_whose_server_cannot_be_placed_has_no_plan(preset, old, new, reason):
    with pytest.raises(InputError, match=reason):
        server_plan(about(preset((old, new))), ONE)


@pytest.mark.parametrize(
    ("line", "probed"),
    [
        ("use_gym_env: false", True),
        ("use_gym_env: true", False),
        ("gym_env: mine", False),
        ("multi_turn_scheduler: mine", False),
    ],
)
def test_a_server_is_asked_for_a_token_unless_a_bare_prompt_is_not_enough(preset, line, probed):
    path = preset(("  vllm_server_timeout", f"  {line}\n  vllm_server_timeout"))
    start: Any = SimpleNamespace(context=about(path))
    assert probeable(start) is probed


@pytest.mark.parametrize("said", ["29600", "[29600]"])
def test_group_port_of_the_preset(preset, said):
    path = preset(("  vllm_server_timeout", f"  vllm_server_group_port: {said}\n  vllm_server_timeout"))
    assert server_plan(about(path), ONE).server.group_port == 29600


def test_digest_tells_servers_apart_and_not_learners(preset):
    def digest(*edits):
        return learner_plan(about(preset(*edits)), ONE).server.digest

    assert digest() == digest(("learning_rate: 1.0e-5", "learning_rate: 2.0e-5"))
    assert digest() != digest(("vllm_gpu_memory_utilization: 0.3", "vllm_gpu_memory_utilization: 0.4"))
    assert digest() != digest(("build/smoke/model", "build/smoke/other"))


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ([("learning_rate: 1.0e-5", "learning_rate: 2.0e-5")], []),
        (
            [("vllm_gpu_memory_utilization: 0.3", "vllm_gpu_memory_utilization: 0.4"), ("\n  seed: 17", "")],
            [
                "its vllm_gpu_memory_utilization is 0.3, and the preset says 0.4",
                "its seed is 17, and the preset does not set it",
            ],
        ),
        (
            [("  template: qwen3\n", "  template: qwen3\n  system: Be brief.\n")],
            ["it has no system, and the preset says 'Be brief.'"],
        ),
        (
            [("  template: qwen3\n", f"  template: qwen3\n  system: {'x' * 500}\n")],
            ["its system is not the preset's"],
        ),
    ],
)
def test_differences_are_told_by_name_with_both_values(preset, edits, told):
    server = server_plan(about(preset()), ONE).server
    now = learner_plan(about(preset(*edits)), ONE).server
    assert [str(difference) for difference in differences(server, now)] == told


def test_a_secret_that_differs_is_not_told(preset):
    def facts(token):
        edit = ("  model_type: qwen3", f"  hub_token: {token}\n  model_type: qwen3")
        return server_plan(about(preset(edit)), ONE).server

    one, other = facts("hush-one"), facts("hush-two")
    assert "hush" not in one.model_dump_json()
    assert [str(difference) for difference in differences(one, other)] == ["its secret is not the preset's"]
    assert not list(differences(one, facts("hush-one")))


def test_colocate_preset_has_a_learner_and_no_server():
    everything, gpus = about(COLOCATE), parse_list("0-7")
    with pytest.raises(InputError, match=r"vllm_mode is 'colocate': there is no rollout server to start"):
        server_plan(everything, gpus)
    plan = learner_plan(everything, gpus)
    assert (plan.facts, plan.gpus) == (None, tuple("01234567"))
    assert "--nproc_per_node=8" in plan.argv


def test_learner_asks_the_server_past_a_proxy(preset, monkeypatch):
    monkeypatch.setenv("no_proxy", "example.com")
    assert "no_proxy" not in learner_plan(about(preset()), ONE).environment
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    environment = learner_plan(about(preset()), ONE).environment
    assert environment["no_proxy"] == environment["NO_PROXY"] == "example.com,127.0.0.1"
    monkeypatch.delenv("no_proxy")
    assert learner_plan(about(preset()), ONE).environment["no_proxy"] == "127.0.0.1"


def test_a_person_is_shown_words_as_bash_reads_them():
    plan = Plan((), None, {"CUDA_VISIBLE_DEVICES": "0,1", "NOTE": "a b"}, ("RANK",), ("swift", "--", "it's"))
    assert plan.command_line() == "CUDA_VISIBLE_DEVICES=0,1 NOTE='a b' swift -- 'it'\"'\"'s'"


def test_a_person_is_shown_what_must_not_be_inherited(monkeypatch):
    plan = Plan((), None, {"CUDA_VISIBLE_DEVICES": "0"}, ("RANK", "LOCAL_RANK"), ("swift",))
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setenv("RANK", "0")
    assert plan.command_line() == "env -u RANK CUDA_VISIBLE_DEVICES=0 swift"


# The split as far as one launcher knows it


def rules(path, side, gpus):
    return [finding.rule for finding in planned(path, side, gpus)[1]]


def test_a_side_is_checked_against_its_own_gpus(preset, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\n")
    path = preset()
    assert rules(path, "server", "0") == rules(path, "learner", "1") == []
    assert rules(path, "server", "0-1") == ["rollout-gpus"]
    assert "generation-batch-size" in rules(path, "learner", "1-2")


def test_the_server_of_the_projects_split_is_checked_for_its_learners(preset, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.rollout-split]\nrollout-gpus = 1\ntrain-gpus = 2\n")
    made, found = planned(preset(), "server", "0")
    assert made is None
    assert any("W = 2 (train-gpus in pyproject.toml)" in finding.message for finding in found)


def test_both_launchers_and_the_validator_propose_the_same_batch(preset):
    path = preset(
        ("num_generations: 4", "num_generations: 5"), ("generation_batch_size: 4 ", "generation_batch_size: 32 ")
    )

    def fixes(found):
        return [each.fix.partition(";")[0] for each in found if each.rule == "num-generations"]

    eight = Gpus(8, tuple("01234567"))
    workspace = Workspace()
    of_validator = Audit(workspace, Options(None, eight)).of(load(workspace, path))
    assert fixes(of_validator) == fixes(planned(path, "learner", "0-7")[1]) == ["set generation_batch_size to 160"]
    # A server's launcher does not know how many learners will come: a number would be wrong for some.
    multiple = (
        "set generation_batch_size to a multiple of num_generations 5 and of per_device_train_batch_size x W"
    )
    assert fixes(planned(path, "server", "0")[1]) == [f"{multiple}, the number of learners"]
