"""Presets as people write them, made by choices: half-migrated, with knobs in odd places, and comments."""

import itertools
import shutil
from pathlib import Path
from random import Random

CASES = Path(__file__).parent / "cases"
SECTIONS = ("model", "data", "template", "training", "rlhf")
KNOBS = {
    "vllm_tensor_parallel_size": ["1", "2", "4", "null", '"2"'],
    "vllm_data_parallel_size": ["6", "3", "1"],
    "vllm_max_model_len": ["8192", "4096", "2048", "16384", "null"],
    "vllm_gpu_memory_utilization": ["0.45", "0.9", "1", "high"],
    "vllm_max_num_seqs": ["16", "null"],
    "vllm_enable_prefix_caching": ["true", "false"],
    "vllm_enable_lora": ["true", "false"],
    "vllm_max_lora_rank": ["64"],
    "vllm_limit_mm_per_prompt": [
        "{image: 5}",
        "'{\"image\": 5}'",
        "\n    image: 5   # c0 five;\n    # c00 none;\n    video: 0",
    ],
    "vllm_engine_kwargs": ["{}", "\n    max_logprobs: 5"],
    "sleep_level": ["0", "1"],
    "offload_model": ["true", "false"],
    "vllm_server_port": ["[8000]", "8000", "null"],
    "temperature": ["0.9"],
}
#: What colocate mode takes, too.
VALID = {name: [text for text in texts if text not in ("high", "8000", '"2"')] for name, texts in KNOBS.items()}
MODES = ["colocate", "colocate", "colocate", "'colocate'", "server"]
CUSTOM = ["", "custom:\n", "custom: {}\n", "custom:\n  train_jsonl: train.jsonl\n", "custom: {train_jsonl: x}\n"]
BLOCKS = [
    "",
    "  extra:\n",
    "  extra:\n    owner: me\n",
    "  extra:\n    rollout_server:\n      vllm_tensor_parallel_size: 2\n",
]


class Preset:
    """The text of one preset, by its own choices."""

    def __init__(self, seed, extends, modes, knobs):
        self.pick = Random(seed).choice
        self.chance = Random(seed).random
        self.count = seed % 1000 * 1000
        self.extends = extends
        self.modes = modes
        self.choices = knobs

    def comment(self):
        self.count += 1
        return f"# c{self.count} why;"

    def knob(self, name):
        head = f"  {self.comment()}\n" if self.chance() < 0.3 else ""
        value = self.pick(self.choices[name])
        end = f"  {self.comment()}" if self.chance() < 0.3 and "\n" not in value else ""
        return f"{head}  {name}: {value}{end}\n" + "\n" * (self.chance() < 0.1)

    def knobs(self, share):
        return "".join(self.knob(name) for name in KNOBS if self.chance() < share)

    def text(self):
        parent = self.extends == "base.yaml"
        rlhf = (
            "  use_vllm: true\n" + f"  vllm_mode: {self.pick(self.modes)}\n"
            if parent or self.chance() < 0.2
            else ""
        )
        rlhf += self.knobs(0.4)
        parts = [f"rlhf:\n{rlhf}" if rlhf else "", self.other_section(), self.custom()]
        if self.chance() < 0.5:
            parts.reverse()
        length = f"global_max_length: {self.pick([4096, 8192, 12000])}\n" if parent or self.chance() < 0.3 else ""
        text = f"extends: {self.extends}\n{length}\n" + "\n".join(part for part in parts if part)
        newline = self.pick(["\n", "\n", "\r\n"])
        return self.pick(["", "", "\ufeff"]) + self.pick([text, text.rstrip("\n")]).replace("\n", newline)

    def other_section(self):
        knobs = self.knobs(0.1) if self.chance() < 0.3 else ""
        return f"training:\n{knobs}" if knobs else ""

    def custom(self):
        custom = self.pick(CUSTOM)
        return custom + self.pick(BLOCKS) if custom.startswith("custom:\n") else custom


def write_presets(root, seed, children, modes=MODES, knobs=KNOBS):
    """A project with a preset, and the presets that extend it one after the other; their paths."""
    (root / "pyproject.toml").write_text("[tool.rollout-split]\nrollout-gpus = 6\n")
    shutil.copy(CASES / "base.yaml", root)
    names = ["base.yaml", "parent.yaml", "child.yaml", "grandchild.yaml"][: children + 2]
    for number, (extends, name) in enumerate(itertools.pairwise(names)):
        (root / name).write_bytes(Preset(seed + number, extends, modes, knobs).text().encode())
    return [root / name for name in names[1:]]
