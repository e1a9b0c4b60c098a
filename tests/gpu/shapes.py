"""The models whose memory is measured: the shapes of real ones, with random weights or with none."""

import json
from pathlib import Path

import material
from transformers import AutoConfig
from transformers import Qwen3ForCausalLM

#: A config.json for each shape.
CONFIGS = Path(__file__).resolve().parents[1] / "schema/shape/configs"
WEIGHTS = "-weights"
#: The shape that smoke runs have, too, with pictures.
SEES = "qwen3-vl-4b"
#: Few layers, for a machine without a GPU.
TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 12, "head_dim": 32}
#: How ms-swift calls the kinds of transformers' model_type, and their templates.
KINDS = {"qwen2": ("qwen2", "qwen2_5"), "qwen3": ("qwen3", "qwen3"), "qwen3_moe": ("qwen3_moe", "qwen3")}
KINDS |= {"qwen3_vl": ("qwen3_vl", "qwen3_vl")}
ARCHITECTURES = {"qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM"}
ARCHITECTURES |= {"qwen3_vl": "Qwen3VLForConditionalGeneration"}


def said(name):
    """The config.json of a shape; a model with weights has the same."""
    shape = name.removesuffix(WEIGHTS)
    if shape != "tiny":
        return json.loads((CONFIGS / f"{shape}.json").read_text(encoding="utf-8"))
    return said("qwen3-0.6b") | TINY | {"num_attention_heads": 2, "num_key_value_heads": 1}


def kind(name):
    """What ms-swift calls its kind and its template."""
    return KINDS[said(name)["model_type"]]


def write(name, folder):
    """Writes a model: its configuration and tokenizer, and weights where the name ends in `-weights`."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "prompts":
        _prompts(folder)
    elif name == SEES + WEIGHTS:
        material.model("4b", folder)
    else:
        _write(name, folder)


def _write(name, folder):
    words = material.tokenizer()
    made = material.config("4b", words) if name == SEES else _texts(name, words)
    if name.endswith(WEIGHTS):
        material.random_model(Qwen3ForCausalLM, made).save_pretrained(folder)
    else:
        made.architectures, made.dtype = [ARCHITECTURES[made.model_type]], "bfloat16"
        made.save_pretrained(folder)
    if name == SEES:
        material.processor(words, folder)
    else:
        words.save_pretrained(folder)


def _texts(name, words):
    values = said(name) | {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    return AutoConfig.for_model(values.pop("model_type"), **values)


def _prompts(folder):
    """Questions with a picture each, and the same without."""
    material.prompts(64, folder)
    lines = map(json.loads, (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines())
    texts = [line["messages"][0]["content"].removeprefix("<image>") for line in lines]
    asked = [json.dumps({"messages": [{"role": "user", "content": text}]}) + "\n" for text in texts]
    (folder / "texts.jsonl").write_text("".join(asked), encoding="utf-8")
