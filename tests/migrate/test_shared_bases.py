"""Many presets on a few component files: who is named changes, whoever is not keeps its meaning."""

import shutil
from pathlib import Path

import pytest

from launch.argv import arguments as argv
from schema import check
from schema.audit import Audit
from schema.resolve import Workspace
from schema.swift.roles import Role
from schema.swift.roles import role_of
from tests.migrate.round_trip import check_there_and_back
from tests.migrate.round_trip import meaning
from tests.migrate.round_trip import migrate as written

CASES = Path(__file__).parent / "cases"
ENGINES = {
    "small": "  vllm_gpu_memory_utilization: 0.3\n  vllm_max_num_seqs: 16\n",
    "large": "  vllm_gpu_memory_utilization: 0.5   # measured\n  vllm_limit_mm_per_prompt:\n    image: 5\n",
    "asleep": "  # memory first\n  sleep_level: 1\n  offload_model: true\n  vllm_enforce_eager: true\n",
}


@pytest.fixture
def leaves(root):
    """Twelve leaves of five lines: all extend base.yaml, mode.yaml and one of three engines."""
    shutil.copy(CASES / "base.yaml", root)
    (root / "parts").mkdir()
    (root / "parts/mode.yaml").write_text("rlhf:\n  use_vllm: true\n  vllm_mode: colocate\n")
    for name, knobs in ENGINES.items():
        (root / f"parts/{name}.yaml").write_text(f"extends: mode.yaml\nrlhf:\n{knobs}")
    return [leaf(root / f"{name}{number}.yaml", name) for number in range(4) for name in ENGINES]


def leaf(path, engine):
    path.write_text(
        f"extends: [base.yaml, parts/{engine}.yaml]\nglobal_max_length: 4096\ntraining:\n  run_name: {path.stem}\n"
        "custom: {train_jsonl: train.jsonl}\n"
    )
    return path


def test_masked_leaves_change_and_no_other_file_does(leaves, files):
    named, others = leaves[:5], leaves[5:]
    before, meanings = files(), list(map(meaning, others))
    written("--mask-bases", *named)
    changed = {name for name, content in files().items() if content != before[name]}
    assert changed == {path.name for path in named}
    assert list(map(meaning, others)) == meanings
    assert {meaning(path)["vllm_mode"] for path in named} == {"server"}


def test_masked_leaves_go_there_and_back(leaves):
    check_there_and_back(leaves[:5], "--mask-bases")


def test_all_leaves_and_their_bases_go_there_and_back_in_one_call(leaves, files):
    before = files()
    changes = written("--include-bases", *leaves)
    assert {item["file"] for item in changes} == {"parts/mode.yaml", *(f"parts/{name}.yaml" for name in ENGINES)}
    assert {meaning(path)["vllm_mode"] for path in leaves} == {"server"}
    written("--to", "colocate", "--include-bases", *leaves)
    assert {name for name, content in files().items() if content[0] != before[name][0]} == {
        f"parts/{name}.yaml" for name in (*ENGINES, "mode")
    }
    assert [meaning(path)["vllm_mode"] for path in leaves] == ["colocate"] * len(leaves)


@pytest.mark.parametrize("flag", ["--include-bases", "parts/small.yaml"])
def test_a_leaf_alone_may_not_change_the_others(flag, leaves, files, migrate):
    before = files()
    refused = migrate("--write", flag, "parts/mode.yaml", leaves[0])
    assert refused.code == 2
    assert "small1.yaml, small2.yaml, small3.yaml" in refused.err
    assert files() == before


def test_nulls_are_unset_for_the_resolver_the_validator_and_both_command_lines(leaves):
    written("--mask-bases", leaves[1])
    workspace = Workspace()
    preset = check.load(workspace, leaves[1])
    about = check.context(workspace, preset, check.Options())
    assert Audit(workspace, check.Options()).findings(about) == []
    learner, server = argv.learner(about, 2), argv.server(about)
    assert {role_of(name) for name in preset.arguments} & {Role.SERVER, Role.COLOCATE} == set()
    assert not any(word in ("None", "null") for word in (*learner, *server))
    assert [word for word in learner if word.startswith("--vllm_")] == [
        "--vllm_mode",
        "--vllm_server_host",
        "--vllm_server_port",
        "--vllm_server_timeout",
    ]
    assert server[server.index("--vllm_limit_mm_per_prompt") + 1] == '{"image": 5}'
