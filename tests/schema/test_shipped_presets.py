"""The presets that this project ships, beside their checkpoint: their own tool has nothing to say of them."""

import json
from pathlib import Path

import pytest
import yaml

from schema import catalogue

REPOSITORY = Path(__file__).parents[2]
PRESETS = [file for file in REPOSITORY.glob("configs/**/*.yaml") if "\nrlhf:" in file.read_text()]
#: The smallest run has another split than the project.
SPLIT = {"smoke": ("--rollout-gpus", "1", "--train-gpus", "1")}
#: What config.json of Qwen/Qwen3-VL-4B-Instruct says of the model's shape.
CONFIG = {
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "model_type": "qwen3_vl",
    "image_token_id": 151655,
    "tie_word_embeddings": True,
    "text_config": {
        "model_type": "qwen3_vl_text",
        "dtype": "bfloat16",
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "max_position_embeddings": 262144,
        "vocab_size": 151936,
    },
    "vision_config": {
        "model_type": "qwen3_vl",
        "depth": 24,
        "hidden_size": 1024,
        "num_heads": 16,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "deepstack_visual_indexes": [5, 11, 17],
    },
}


@pytest.mark.parametrize("release", ["4.5.2", catalogue.newest()])
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.stem)
def test_a_shipped_preset_has_no_finding_beside_its_checkpoint(preset, release, validate, tmp_path, monkeypatch):
    model = tmp_path / yaml.safe_load(preset.read_text())["model"]["model"]
    model.mkdir(parents=True)
    (model / "config.json").write_text(json.dumps(CONFIG))
    monkeypatch.chdir(tmp_path)
    options = SPLIT.get(preset.parent.name, ())
    assert validate("--swift-version", release, *options, preset) == (0, "", "")


def test_there_are_shipped_presets():
    assert len(PRESETS) == 5
