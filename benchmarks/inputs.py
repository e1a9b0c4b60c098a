"""What is read: presets like the shipped ones, in the numbers and sizes that a project may have."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_SHIPPED = ("summary_1024.yaml", "summary_1024_attr_key_recall.yaml")
_BASES = 20
#: Bytes of the large preset; validate-config takes no more than a MiB.
_LARGE = 1_000_000
_SCRIPT = """#!/usr/bin/env bash
CUDA_VISIBLE_DEVICES=6,7 NPROC_PER_NODE=2 swift rlhf --rlhf_type grpo --model models/m{number} --dataset d.jsonl \\
  --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 --num_generations 4 \\
  --per_device_train_batch_size 2 --generation_batch_size 16 --reward_funcs format --output_dir output/{number}
"""


class Inputs:
    """Files below a folder, made on demand.

    Attributes:
        one: a shipped preset of some 230 lines, and its base.
        both: the same, and a preset that extends it.
    """

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._configs = folder / "configs"
        shutil.copytree(repository / "configs", self._configs)
        shutil.copy(repository / "pyproject.toml", folder)
        self.both = [self._configs / "train/grpo" / name for name in _SHIPPED]
        self.one = self.both[:1]

    def whole(self, number: int) -> list[Path]:
        """Presets that extend nothing, each with a name of its own."""
        text = self._whole()
        return [self._file(f"whole{number}/{each}.yaml", _named(text, each)) for each in range(number)]

    def leaves(self, number: int) -> list[Path]:
        """Presets that change two settings of one of a few bases."""
        bases = [
            self._file(f"leaves{number}/base{each}.yaml", _named(self._whole(), each)) for each in range(_BASES)
        ]
        leaf = "extends: {base}\ntraining:\n  run_name: leaf-{each}\nrlhf:\n  temperature: 0.8\n"
        return [
            self._file(f"leaves{number}/{each}.yaml", leaf.format(base=bases[each % _BASES].name, each=each))
            for each in range(number)
        ]

    def large(self) -> list[Path]:
        """A preset of 1 MB: `custom` holds a long list."""
        text = self._whole()
        entry = f"      - {{name: brightness, prob: 0.5}}    # {'a word ' * 12}\n"
        more = entry * ((_LARGE - len(text)) // len(entry))
        return [self._file("large/large.yaml", text.replace("    ops:\n", f"    ops:\n{more}", 1))]

    def chain(self, length: int) -> list[Path]:
        """A preset at the end of a chain of `extends`."""
        files = [self._file("chain/0.yaml", self._whole())]
        for each in range(1, length + 1):
            text = f"extends: {files[-1].name}\ntraining:\n  run_name: link-{each}\n"
            files.append(self._file(f"chain/{each}.yaml", text))
        return files

    def scripts(self, number: int) -> list[Path]:
        """Shell scripts that call `swift rlhf`."""
        return [self._file(f"scripts/{each}.sh", _SCRIPT.format(number=each)) for each in range(number)]

    def _whole(self) -> str:
        """The shipped preset with what it extends written into it, comments and all."""
        base = yaml.safe_load((self._configs / "base.yaml").read_text())
        text = self.one[0].read_text().replace("extends: ../../base.yaml\n", "")
        for section, values in base.items():
            lines = "".join(f"  {line}\n" for line in yaml.safe_dump(values).splitlines())
            head = f"\n{section}:\n"
            text = text.replace(head, head + lines, 1) if head in text else f"{text}{head}{lines}"
        return text

    def _file(self, name: str, text: str) -> Path:
        file = self._folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file


def _named(text: str, number: int) -> str:
    return re.sub("run_name: .*", f"run_name: run-{number}", text, count=1)
