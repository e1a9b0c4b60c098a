"""Makes what a smoke run trains on: a random Qwen3-VL, and prompts with pictures; runs beside ms-swift.

    python tests/gpu/material.py model {tiny,4b} FOLDER
    python tests/gpu/material.py prompts NUMBER FOLDER

`tiny` has some 20 M parameters and loads in seconds. `4b` has the shape of Qwen3-VL-4B, 4.4 B parameters: its
memory and its speed are those of a real model, its answers are noise. The same seed gives the same weights.
"""

import json
import random
import sys
from itertools import islice
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Decoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerFast
from transformers import Qwen3VLConfig
from transformers import Qwen3VLForConditionalGeneration

SEED = 17
WORDS = ("cable", "cabinet", "fibre", "rack", "label", "port", "white", "blue", "left", "right", "count", "the")
#: Qwen's names for the tokens that its chat template and its pictures need, in the order of their numbers. The
#: first must be FIRST: ms-swift looks for pictures at number 151655 (4.5.2, template/templates/qwen.py:307).
FIRST = 151643
NAMES = (
    "endoftext im_start im_end object_ref_start object_ref_end box_start box_end quad_start quad_end vision_start"
    " vision_end vision_pad image_pad video_pad"
)
SPECIAL = [f"<|{name}|>" for name in NAMES.split()]
TEMPLATE = (
    "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.content is string %}{{ message.content }}{%- else %}{%- for part in message.content %}"
    "{%- if part.type == 'image' %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- else %}{{ part.text }}{%- endif %}{%- endfor %}{%- endif %}{{ '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
)
TEXT = {
    "tiny": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 4}
    | {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64},
    "4b": {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36}
    | {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128},
}
VISION = {
    "tiny": {"depth": 4, "hidden_size": 128, "intermediate_size": 256, "num_heads": 4, "out_hidden_size": 128}
    | {"deepstack_visual_indexes": [1, 2, 3]},
    "4b": {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "out_hidden_size": 2560}
    | {"deepstack_visual_indexes": [5, 11, 17]},
}
#: The number that tells special tokens from others; the more layers, the larger.
LOUD = {"tiny": 1, "4b": 5}
#: How the rotary positions are divided between time, height and width: half a head together.
SECTIONS = {"tiny": [12, 10, 10], "4b": [24, 20, 20]}
PATCHES = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "processor_class": "Qwen3VLProcessor"}
EVEN = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
PREPROCESSORS = {
    "preprocessor_config.json": ("image_processor_type", "Qwen2VLImageProcessorFast", 65536, 16777216),
    "video_preprocessor_config.json": ("video_processor_type", "Qwen3VLVideoProcessor", 4096, 25165824),
}


def tokenizer():
    """A tokenizer that reads single bytes and writes words of four letters, with Qwen's special tokens."""
    words = map("".join, product(ascii_lowercase, repeat=4))
    vocabulary = [*sorted(ByteLevel.alphabet()), *islice(words, FIRST - 256)]
    raw = Tokenizer(BPE(vocab={word: number for number, word in enumerate(vocabulary)}, merges=[]))
    raw.pre_tokenizer, raw.decoder = ByteLevel(add_prefix_space=False), Decoder()
    raw.add_special_tokens(SPECIAL)
    made = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=SPECIAL[0], eos_token=SPECIAL[2])
    made.chat_template = TEMPLATE
    return made


def config(size, words):
    """The configuration of a model of one of the two sizes."""
    pad, _, end, *rest = words.convert_tokens_to_ids(SPECIAL)
    number = dict(zip(NAMES.split()[3:], rest, strict=True))
    rotary = {"rope_type": "default", "mrope_section": SECTIONS[size], "mrope_interleaved": True}
    ends = {"bos_token_id": pad, "eos_token_id": end, "pad_token_id": pad}
    text = (
        {"vocab_size": 151936}
        | TEXT[size]
        | ends
        | {"max_position_embeddings": 32768, "rope_theta": 5e6, "rope_scaling": rotary}
    )
    vision = {"patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 2304}
    return Qwen3VLConfig(
        text_config=text | {"tie_word_embeddings": True},
        vision_config=vision | VISION[size],
        image_token_id=number["image_pad"],
        video_token_id=number["video_pad"],
        vision_start_token_id=number["vision_start"],
        vision_end_token_id=number["vision_end"],
        tie_word_embeddings=True,
    )


def model(size, folder):
    """Writes a checkpoint that ms-swift and vLLM load as qwen3_vl."""
    words = tokenizer()
    made = random_model(Qwen3VLForConditionalGeneration, config(size, words))
    _silence(made, LOUD[size])
    made.generation_config.eos_token_id = words.eos_token_id
    made.generation_config.pad_token_id = words.pad_token_id
    made.to(torch.bfloat16).save_pretrained(folder)
    processor(words, folder)


def random_model(kind, settings):
    """A model of a class and a configuration, with the same weights each time."""
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return kind(settings)


def processor(words, folder):
    """Writes the tokenizer, and what turns pictures into patches."""
    words.save_pretrained(folder)
    for name, (key, processor, shortest, longest) in PREPROCESSORS.items():
        size_limits = {"size": {"shortest_edge": shortest, "longest_edge": longest}}
        _dump(folder / name, PATCHES | EVEN | {key: processor} | size_limits)
    _name_processor(folder / "tokenizer_config.json")


@torch.no_grad()
def _silence(made, loud):
    """Keeps special tokens out of completions: a picture's would break the learner, the end's would shorten them.

    Every token gets the same large number in one place, and special ones its opposite; the rows are those of the
    output, too. What layers add is made small, so that the number is still there after the last.
    """
    for name, weight in made.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_(0.1)
    rows = made.get_input_embeddings().weight
    rows[:, 0] = loud
    rows[FIRST:, 0] = -loud


def _name_processor(file):
    said = json.loads(file.read_text(encoding="utf-8"))
    tokens = {"image_token": "image_pad", "video_token": "video_pad"}
    tokens |= {"vision_bos_token": "vision_start", "vision_eos_token": "vision_end"}
    named = {key: f"<|{name}|>" for key, name in tokens.items()}
    classes = {"processor_class": "Qwen3VLProcessor", "tokenizer_class": "PreTrainedTokenizerFast"}
    _dump(file, said | named | classes)


def _dump(file, data):
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")


def prompts(number, folder):
    """Writes prompts.jsonl: so many questions, each with a picture of 448 x 448 of its own."""
    dice = random.Random(SEED)
    lines = []
    for count in range(number):
        picture = folder / f"{count}.png"
        Image.frombytes("RGB", (14, 14), dice.randbytes(14 * 14 * 3)).resize((448, 448)).save(picture)
        question = "<image>" + " ".join(dice.choices(WORDS, k=40))
        lines.append({"messages": [{"role": "user", "content": question}], "images": [str(picture)]})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "prompts.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("model", "prompts"):
        sys.exit(__doc__)
    what, which, place = sys.argv[1], sys.argv[2], Path(sys.argv[3]).absolute()
    place.mkdir(parents=True, exist_ok=True)
    if what == "model":
        model(which, place)
    else:
        prompts(int(which), place)
