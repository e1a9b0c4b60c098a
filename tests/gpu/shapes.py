"""The models whose memory is measured: the shapes of real ones, with random weights or with none."""

import json

import material
from transformers import Qwen2Config
from transformers import Qwen3Config
from transformers import Qwen3ForCausalLM
from transformers import Qwen3MoeConfig

LENGTH = 32768
WORDS = {"vocab_size": 151936, "max_position_embeddings": LENGTH, "tie_word_embeddings": True, "dtype": "bfloat16"}
QWEN3 = WORDS | {"head_dim": 128, "rope_theta": 1e6}
SMALL = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28}
BIASED = {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24}
EXPERTS = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 32, "num_experts": 64}
EXPERTS |= {"moe_intermediate_size": 768, "num_experts_per_tok": 8, "norm_topk_prob": True}
#: A few layers for a machine without a GPU.
TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 12, "head_dim": 32}


def heads(queries, keys):
    """Attention heads, as configs name them."""
    return {"num_attention_heads": queries, "num_key_value_heads": keys}


#: The configuration of each model of texts: its class, and what it gets.
TEXTS = {
    "dense-0.5b": (Qwen2Config, WORDS | BIASED | heads(14, 2)),
    "dense-0.6b": (Qwen3Config, QWEN3 | SMALL | heads(16, 8)),
    "dense-4b": (Qwen3Config, QWEN3 | material.TEXT["4b"]),
    "moe-10b": (Qwen3MoeConfig, QWEN3 | EXPERTS | heads(32, 4) | {"tie_word_embeddings": False}),
    "tiny": (Qwen3Config, QWEN3 | TINY | heads(2, 1)),
}
#: How ms-swift calls their kinds and their templates, and transformers their classes.
KINDS = {
    "dense-0.5b": ("qwen2", "qwen2_5", "Qwen2ForCausalLM"),
    "dense-0.6b": ("qwen3", "qwen3", "Qwen3ForCausalLM"),
    "dense-4b": ("qwen3", "qwen3", "Qwen3ForCausalLM"),
    "moe-10b": ("qwen3_moe", "qwen3", "Qwen3MoeForCausalLM"),
    "tiny": ("qwen3", "qwen3", "Qwen3ForCausalLM"),
    "vl-4b": ("qwen3_vl", "qwen3_vl", "Qwen3VLForConditionalGeneration"),
}


def plain(name):
    """The name of a model's shape: the one with weights has the same."""
    return name.removesuffix("-weights")


def write(name, folder):
    """Writes a model: its configuration and tokenizer, and weights where the name ends in `-weights`."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "prompts":
        _prompts(folder)
        return
    words = material.tokenizer()
    shape = plain(name)
    if name == "vl-4b-weights":
        material.model("4b", folder)
        return
    made = material.config("4b", words) if shape == "vl-4b" else _texts(shape, words)
    if name != shape:
        material.random_model(Qwen3ForCausalLM, made).save_pretrained(folder)
    else:
        made.architectures, made.dtype = [KINDS[shape][2]], "bfloat16"
        made.save_pretrained(folder)
    if shape == "vl-4b":
        material.processor(words, folder)
    else:
        words.save_pretrained(folder)


def _texts(shape, words):
    kind, values = TEXTS[shape]
    return kind(**values, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id)


def _prompts(folder):
    """Questions with a picture each, and the same without."""
    material.prompts(64, folder)
    lines = map(json.loads, (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines())
    said = [line["messages"][0]["content"].removeprefix("<image>") for line in lines]
    texts = [json.dumps({"messages": [{"role": "user", "content": text}]}) + "\n" for text in said]
    (folder / "texts.jsonl").write_text("".join(texts), encoding="utf-8")
