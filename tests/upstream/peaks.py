"""Tells how much a learner's micro-step needs at the most; runs inside an upstream environment.

The tensors hold nothing, so a model of any size will do. The argument is a JSON list; each item has the `config`
of a Qwen3, `rows`, `prompt`, `completion`, `rank`, `dora`, `checkpointing`, and `plain`: whether adapters and
logits are float32, as without DeepSpeed. The answer is a list of bytes, without parameters.
"""

import json
import sys
import weakref

import torch
from peft import LoraConfig
from peft import get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from transformers import Qwen3Config
from transformers import Qwen3ForCausalLM
from trl.trainer.utils import selective_log_softmax


class Bytes(TorchDispatchMode):
    """Counts the bytes of all tensors that live, and the most that there were."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = set()

    def add(self, tensor):
        storage = tensor.untyped_storage()
        place, size = storage._cdata, storage.nbytes()
        if place not in self.known:
            self.known.add(place)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._free, place, size)

    def _free(self, place, size):
        self.known.discard(place)
        self.now -= size

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for each in tree_iter(made):
            if isinstance(each, torch.Tensor):
                self.add(each)
        return made


def model(wish):
    """A model with adapters, which is where it is: tensors that hold nothing cannot be moved."""
    torch.nn.Module.to = lambda module, *_, **__: module
    BaseTunerLayer._move_adapter_to_device_of_base_layer = lambda *_, **__: None
    torch.set_default_dtype(torch.bfloat16)
    made = Qwen3ForCausalLM(Qwen3Config(**wish["config"], attn_implementation="sdpa"))
    torch.set_default_dtype(torch.float32 if wish["plain"] else torch.bfloat16)
    kind = {"r": wish["rank"], "use_dora": wish["dora"], "lora_dropout": 0.0, "init_lora_weights": False}
    adapters = LoraConfig(**kind, target_modules="all-linear", task_type="CAUSAL_LM")
    made = get_peft_model(made, adapters, autocast_adapter_dtype=False)
    torch.set_default_dtype(torch.float32)
    made.enable_input_require_grads()
    if wish["checkpointing"]:
        made.gradient_checkpointing_enable({"use_reentrant": True})
    return made.train()


def micro_step(made, wish):
    """Log-probabilities and their backward pass, as in ms-swift (4.5.2, rlhf_trainers/grpo_trainer.py:1554)."""
    keep = wish["completion"]
    ids = torch.ones(wish["rows"], wish["prompt"] + keep, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16, enabled=wish["plain"]):
        logits = made(input_ids=ids, use_cache=False, logits_to_keep=keep + 1).logits
    if wish["plain"]:
        logits = logits.float()
    logits = logits[:, -(keep + 1) : -1, :]
    logits.div_(0.7)
    scores = selective_log_softmax(logits, ids[:, -keep:])
    del logits
    scores.sum().backward()


def answer(wish):
    with FakeTensorMode(allow_non_fake_inputs=True):
        made, count = model(wish), Bytes()
        for parameter in (*made.parameters(), *made.buffers()):
            count.add(parameter)
        before = count.now
        with count:
            micro_step(made, wish)
    return count.most - before


print(json.dumps([answer(wish) for wish in json.loads(sys.argv[1])]))
