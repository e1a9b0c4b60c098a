"""A checkpoint as far as constructing arguments reads it: its architecture and the arguments it was made with."""

import json
from pathlib import Path

ARCHITECTURES = {"qwen3_vl": "Qwen3VLForConditionalGeneration", "qwen3": "Qwen3ForCausalLM"}


def make(folder: Path, kind: str, version: str) -> Path:
    """Writes the files that ms-swift leaves beside merged weights, without the weights."""
    folder.mkdir(parents=True)
    config = {"architectures": [ARCHITECTURES[kind]], "model_type": kind, "dtype": "bfloat16"}
    arguments = {"model_type": kind, "swift_version": version}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "args.json").write_text(json.dumps(arguments), encoding="utf-8")
    return folder
