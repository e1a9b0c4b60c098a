"""Builds models of transformers without memory and tells their parameters; runs inside an upstream environment.

Each argument is a config.json. The answer is JSON: for each, the parameters of each part, and the linear layers
that `all-linear` adapts (ms-swift 4.5.2, utils/transformers_utils.py:178): [part, inputs, outputs, bias, number].
"""

import json
import sys
from collections import Counter
from pathlib import Path

import torch
from transformers import AutoConfig
from transformers import AutoModelForCausalLM
from transformers import AutoModelForImageTextToText

#: How names begin, by part; the first that fits counts.
PLACES = {
    "lm_head": ("lm_head.",),
    "aligner": ("model.visual.merger.", "model.visual.deepstack_merger_list."),
    "vit": ("model.visual.",),
    "embeddings": ("model.embed_tokens.", "model.language_model.embed_tokens."),
    "llm": ("model.",),
}


def part(name):
    return next(each for each, starts in PLACES.items() if name.startswith(starts))


def answer(file):
    said = json.loads(Path(file).read_text(encoding="utf-8"))
    config = AutoConfig.for_model(said.pop("model_type"), **said)
    kind = AutoModelForImageTextToText if "vision_config" in said else AutoModelForCausalLM
    with torch.device("meta"):
        model = kind.from_config(config)
    model.tie_weights()
    parts, linears = Counter(), Counter()
    for name, parameter in model.named_parameters():
        parts[part(name)] += parameter.numel()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            linears[part(f"{name}."), module.in_features, module.out_features, module.bias is not None] += 1
    return {"parts": parts, "linears": sorted([*shape, count] for shape, count in linears.items())}


print(json.dumps([answer(file) for file in sys.argv[1:]]))
