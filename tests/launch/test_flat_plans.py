"""The launch plans of flat YAML: the words of both files, and the environment that each asks for."""

import contextlib
import os

import pytest

from schema.errors import InputError
from tests.launch.bench import Bench
from tests.launch.bench import end
from tests.launch.bench import until
from tests.launch.test_plans import planned

LEARNER = """\
rlhf_type: grpo
model: models/none
dataset: [train.jsonl]
reward_funcs: accuracy
reward_weights: "1.0"
per_device_train_batch_size: 4
num_generations: 4
learning_rate: 1.0e-6
use_vllm: true
vllm_mode: server
vllm_server_host: 127.0.0.1
vllm_server_port: 8080
ENV:
  CUDA_VISIBLE_DEVICES: 6,7
  NPROC_PER_NODE: 2
  MAX_PIXELS: 1003520
"""
SERVER = """\
model: models/none
port: 8080
vllm_tensor_parallel_size: 1
vllm_data_parallel_size: 2
vllm_max_model_len: 4096
vllm_engine_kwargs: {enable_chunked_prefill: true}
log_level: warning
ENV:
  CUDA_VISIBLE_DEVICES: 0,1
  MAX_PIXELS: 1003520
"""


@pytest.fixture
def flat(tmp_path, monkeypatch):
    """Makes the plan of one side of a pair; see `planned` for the arguments."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "MAX_PIXELS":
            monkeypatch.delenv(name)
    (tmp_path / "x.yaml").write_text(LEARNER)
    (tmp_path / "x.rollout.yaml").write_text(SERVER)

    def flat(side, gpus, file="x.yaml", **more):
        made, found = planned(tmp_path / file, side, gpus, **more)
        assert made is not None, found
        return made

    return flat


def test_server_gets_its_file_s_words_and_variables(flat):
    words = (
        "MAX_PIXELS=1003520 CUDA_VISIBLE_DEVICES=4,5"
        " swift rollout --host 127.0.0.1 --port 8080 --model models/none"
        " --vllm_tensor_parallel_size 1 --vllm_data_parallel_size 2 --vllm_max_model_len 4096 --vllm_engine_kwargs"
        " '{\"enable_chunked_prefill\": true}' --log_level warning"
    )
    assert flat("server", "4-5").command_line() == words
    assert flat("server", "4-5", "x.rollout.yaml").command_line() == words


def test_learner_of_several_nodes_is_refused(flat, tmp_path):
    (tmp_path / "x.yaml").write_text(LEARNER + "  NNODES: 2\n")
    with pytest.raises(InputError, match=r"NNODES is 2, but this command starts the learners of one node"):
        flat("learner", "2,3")
    (tmp_path / "x.yaml").write_text(LEARNER + "  NNODES: 1\n")
    assert "--nproc_per_node=2" in flat("learner", "2,3").argv


def test_learner_gets_its_file_s_words_and_variables_and_keeps_the_file(flat, tmp_path):
    assert flat("learner", "3").command_line().replace(str(tmp_path), "HERE") == (
        "MAX_PIXELS=1003520 SWIFT_CONFIG_FILE=HERE/x.yaml CUDA_VISIBLE_DEVICES=3"
        " torchrun --standalone --nproc_per_node=1 -m swift.cli.rlhf --rlhf_type grpo --model models/none"
        " --dataset train.jsonl --reward_funcs accuracy --reward_weights 1.0 --per_device_train_batch_size 4"
        " --num_generations 4 --learning_rate 1e-06 --use_vllm true --vllm_mode server"
        " --vllm_server_host 127.0.0.1 --vllm_server_port 8080"
    )


@pytest.mark.parametrize(("release", "kept"), [("4.2.1", True), ("4.2.2", False), ("4.5.2", False)])
def test_variables_of_the_shell_win_where_ms_swift_lets_them(release, kept, flat, tmp_path, monkeypatch):
    learner = tmp_path / "x.yaml"
    learner.write_text(learner.read_text().replace("  NPROC_PER_NODE: 2\n", ""))
    monkeypatch.setenv("MAX_PIXELS", "5")
    assert ("MAX_PIXELS" in flat("server", "0,1", release=release).environment) is kept


def test_both_sides_know_the_server_by_its_words_and_variables(flat, tmp_path):
    def digest(side):
        return flat(side, "6,7").server.digest

    before = digest("server")
    assert digest("learner") == before
    learner, server = (tmp_path / name for name in ("x.yaml", "x.rollout.yaml"))
    server.write_text(SERVER.replace("CUDA_VISIBLE_DEVICES: 0,1", "CUDA_VISIBLE_DEVICES: 2,3"))
    assert digest("server") == before
    for half in (learner, server):
        half.write_text(half.read_text().replace("MAX_PIXELS: 1003520", "MAX_PIXELS: 602112"))
    assert digest("server") != before


def test_launchers_run_a_pair(tmp_path):
    with contextlib.closing(Bench(tmp_path)) as bench:
        bench.preset = tmp_path / "x.rollout.yaml"
        group = f"{bench.port}\nvllm_server_group_port: {bench.group_port}"
        (tmp_path / "x.yaml").write_text(LEARNER.replace("8080", group))
        bench.preset.write_text(SERVER.replace("8080", str(bench.port)))
        bench.environment["STAND_IN_WORLD"] = "2"
        bench.start(*bench.words("grpo_rollout_server.sh", "gpus=0,1"))
        until(bench.healthy)
        learner = bench.start(
            *bench.words("grpo_train_server_mode.sh", "gpus=2"), STAND_IN_SYNCS="2", STAND_IN_EXIT="0"
        )
        assert end(learner)[0] == 0
        server, torchrun = bench.recorded("swift"), bench.recorded("torchrun")
    assert server["argv"][1:3] == ["rollout", "--host"]
    assert server["environment"]["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert torchrun["environment"]["CUDA_VISIBLE_DEVICES"] == "2"
    for recorded in (server, torchrun):
        assert recorded["environment"]["MAX_PIXELS"] == "1003520"
        assert "NPROC_PER_NODE" not in recorded["environment"]
