"""Writes a tiny random Qwen3 to the folder named: always the same weights, and a tokenizer of single bytes."""

import sys

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Decoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerFast
from transformers import Qwen3Config
from transformers import Qwen3ForCausalLM

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tokenizer():
    """A token a byte, and the three that Qwen's chat template writes."""
    letters = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    bytes_ = Tokenizer(BPE(vocab=letters, merges=[]))
    bytes_.pre_tokenizer, bytes_.decoder = ByteLevel(add_prefix_space=False), Decoder()
    fast = PreTrainedTokenizerFast(tokenizer_object=bytes_, pad_token=SPECIAL[0], eos_token=SPECIAL[2])
    fast.add_special_tokens({"additional_special_tokens": SPECIAL})
    return fast


def make(folder):
    """The checkpoint: 2 layers, 64 wide."""
    torch.manual_seed(17)
    words = tokenizer()
    config = Qwen3Config(
        vocab_size=320,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=1024,
        tie_word_embeddings=False,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
        dtype="float32",
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)


if __name__ == "__main__":
    make(sys.argv[1])
