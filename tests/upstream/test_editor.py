"""The JSON Schemas in the server that editors run for YAML, the newest and an old one: what it marks and tells."""

import pytest
from click.testing import CliRunner

from schema.cli import main
from schema.editors import SUBJECTS
from tests.upstream.language_server import Editor
from tests.upstream.oracle import ROOT

SHIPPED = [*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("tests/presets/**/*.yaml")]
NESTED = """\
rlhf:
  rlhf_type: grpo
  num_generatons: 8
  train_type: lora
  loss_type: dapoo
  vllm_mode:\x20
  vllm
custom:
  extra:
    rollout_server:
      vllm_max_model_length: 8192
      vllm_gpu_memory_utilization: 1.5
"""
FLAT = """\
rlhf_type: grpo
num_generatons: 8
use_vllm: maybe
learning_rate: 1e-5
ENV: {NPROC_PER_NODE: 2}
"""


@pytest.fixture(scope="module", params=["yaml-language-server", "yaml-language-server-1.15"])
def editor(request, tmp_path_factory):
    """An editor in a folder that has the three schemas; flat files get theirs from its settings."""
    folder = tmp_path_factory.mktemp("editor")
    for subject in SUBJECTS:
        ran = CliRunner().invoke(main, ["--json-schema", subject, "--swift-version", "4.5.2"])
        (folder / f"{subject}.json").write_text(ran.stdout)
    editor = Editor(request.param, folder, {"./flat.json": "flat/*.yaml", "./rollout.json": "flat/*.rollout.yml"})
    yield editor
    editor.close()


def nested(text):
    return f"# yaml-language-server: $schema=nested.json\n{text}"


def test_typos_are_marked(editor):
    said = editor.open("typos.yaml", nested(NESTED.replace("  vllm\n", "")))
    assert [(line, marked) for line, marked, _ in said] == [
        (4, "num_generatons"),
        (5, "lora"),
        (5, "train_type: lora"),
        (6, "dapoo"),
        (11, "vllm_max_model_length"),
        (12, "1.5"),
    ]
    messages = [message for _, _, message in said]
    assert messages[0] == "Property num_generatons is not allowed."
    assert messages[1] == messages[2] == "ms-swift 4.5.2 calls it tuner_type"
    assert '"dapo"' in messages[3]
    assert messages[4] == "Property vllm_max_model_length is not allowed."


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_presets_have_no_marks(editor, file):
    assert (
        editor.open(f"shipped/{file.parent.name}-{file.name}", nested(file.read_text()).replace("=", "=../")) == []
    )


def test_values_are_read_as_ms_swift_reads_them(editor):
    said = editor.open("1.1.yaml", nested("training: {bf16: on, save_strategy: no}\n"))
    assert [(line, marked) for line, marked, _ in said] == [(2, "no")]


def test_arguments_are_completed_and_told_of(editor):
    editor.open("more.yaml", nested(NESTED))
    arguments = editor.completions("more.yaml", 8, 7)
    assert arguments["vllm_server_timeout"] == "Seconds that the learner polls `/health/` before it gives up."
    assert {"vllm_max_model_len", "temperature", "llm_kd_weight"} <= arguments.keys()
    assert not {"train_type", "no_cuda", "effective_batch_size"} & arguments.keys()
    block = editor.completions("more.yaml", 13, 7)
    assert block["vllm_tensor_parallel_size"] == "GPUs that one engine spans (TP)."
    assert not {"temperature", "port"} & block.keys()


def test_values_are_completed(editor):
    editor.open("values.yaml", nested(NESTED.replace("  vllm\n", "")))
    assert {"server", "colocate"} <= editor.completions("values.yaml", 7, 14).keys()


def test_hover_tells_what_an_argument_is(editor):
    editor.open("hover.yaml", nested("rlhf:\n  beta: 0.1\ncustom: {extra: {rollout_server: {api_key: x}}}\n"))
    told = editor.hover("hover.yaml", 3, 4)
    assert "Weight of the KL term against the reference model. Unset: 0.04 for GRPO." in told
    assert "ms-swift 4.5.2" in told
    assert "GRPO: rollouts, rewards and loss." in editor.hover("hover.yaml", 2, 2)
    assert "What the server's routes ask for" in editor.hover("hover.yaml", 4, 36)


def test_flat_files_get_their_schema_from_the_settings(editor):
    said = editor.open("flat/x.yaml", FLAT)
    assert [(line, marked) for line, marked, _ in said] == [(2, "num_generatons"), (3, "maybe")]
    assert said[1][2] == "It must be true or false."
    assert "Completions" in editor.completions("flat/x.yaml", 4, 1)["num_generations"]
    said = editor.open("flat/x.rollout.yml", "model: x\nvllm_max_model_length: 8192\n")
    assert said == [(2, "vllm_max_model_length", "Property vllm_max_model_length is not allowed.")]
