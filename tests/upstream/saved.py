"""Tells what autograd saves of one decoder layer; runs inside an upstream environment.

The argument is a JSON list; each item has the `config` of a Qwen3, `rows`, `tokens`, `full`, and `dora` and `rank`
of adapters. The answer is a list of the bytes of tensors that live until the backward pass, without parameters.
"""

import gc
import json
import sys
from weakref import WeakSet

import torch
from peft import LoraConfig
from peft import get_peft_model
from transformers import Qwen3Config
from transformers import Qwen3ForCausalLM


class Saved:
    """A tensor that autograd keeps."""

    def __init__(self, tensor):
        self.tensor = tensor


def model(wish, layers):
    config = Qwen3Config(**wish["config"] | {"num_hidden_layers": layers}, attn_implementation="sdpa")
    made = Qwen3ForCausalLM(config)
    if not wish["full"]:
        kind = {"r": wish["rank"], "use_dora": wish["dora"], "lora_dropout": 0.0}
        made = get_peft_model(made, LoraConfig(**kind, target_modules="all-linear", task_type="CAUSAL_LM"))
        made.enable_input_require_grads()
    return made.to(torch.bfloat16).train()


def saved(wish, layers):
    made, alive = model(wish, layers), WeakSet()

    def pack(tensor):
        alive.add(kept := Saved(tensor))
        return kept

    ids = torch.ones(wish["rows"], wish["tokens"], dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[0, :5] = 0  # without padding there is no mask
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
        result = made(input_ids=ids, attention_mask=mask, use_cache=False)
    gc.collect()
    ours = {parameter.untyped_storage().data_ptr() for parameter in made.parameters()}
    kept = {each.tensor.untyped_storage().data_ptr(): each.tensor.untyped_storage().nbytes() for each in alive}
    del result
    return sum(size for place, size in kept.items() if place not in ours)


print(json.dumps([saved(wish, 3) - saved(wish, 2) for wish in json.loads(sys.argv[1])]))
