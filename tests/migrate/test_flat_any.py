"""Any flat preset: to a pair, back, and there again; soundly, or refused with a reason."""

import json
import tempfile
from pathlib import Path
from random import Random

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli import main
from schema.cli import main as validate_config
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.yamledit.yaml_files import comments

SPLIT = '[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\nswift-version = "4.5.2"\n'
SURE = {
    "rlhf_type": ["grpo"],
    "model": ["models/none", '"models/none"'],
    "dataset": ["a.jsonl", '["a.jsonl", b.jsonl]'],
    "reward_funcs": ["accuracy", "[accuracy, format]"],
    "use_vllm": ["true"],
    "vllm_mode": ["colocate", "'colocate'"],
}
MAYBE = {
    "torch_dtype": ["bfloat16"],
    "template": ["qwen3"],
    "max_length": ["3072", '"9000"'],
    "max_completion_length": ["1024"],
    "truncation_strategy": ["delete", "left"],
    "system": ["|\n  Be brief.\n  # Not a comment.", "'#1'", "null"],
    "external_plugins": ["plugin.py", "[a.py, b.py]"],
    "model_kwargs": ["{max_pixels: 1003520}", "\n  # c0 inside;\n  max_pixels: 1003520"],
    "seed": ["17"],
    "val_dataset": ["v.jsonl"],
    "per_device_train_batch_size": ["1", "2", "4"],
    "per_device_eval_batch_size": ["1", "4"],
    "gradient_accumulation_steps": ["1", "2", "3", "'2'", "many"],
    "steps_per_generation": ["2", "4"],
    "num_generations": ["4", "8"],
    "generation_batch_size": ["64"],
    "vllm_tensor_parallel_size": ["1", "2"],
    "vllm_max_model_len": ["8192", "4096", "16384"],
    "vllm_gpu_memory_utilization": ["0.45", "0.9"],
    "vllm_max_num_seqs": ["16"],
    "vllm_enable_prefix_caching": ["true", "yes"],
    "vllm_enable_lora": ["false"],
    "vllm_limit_mm_per_prompt": ["{image: 5}", "'{\"image\": 5}'", "\n  image: 5  # c00 five;"],
    "sleep_level": ["0", "1"],
    "offload_model": ["true"],
    "temperature": ["0.9", "1e-1"],
}
VARIABLES = {
    "NPROC_PER_NODE": ["8", '"8"', "4"],
    "CUDA_VISIBLE_DEVICES": ["0,1,2,3,4,5,6,7"],
    "MAX_PIXELS": ["1003520"],
    "VLLM_USE_V1": ["1"],
    "WANDB_PROJECT": ["x"],
}


class Flat:
    """The text of one preset, by its own choices."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.count = 0

    def comment(self, share):
        self.count += 1
        return f"# c{self.count} why;" if self.random.random() < share else ""

    def entry(self, name, values, indent=""):
        head, value, end = self.comment(0.3), self.random.choice(values), self.comment(0.2)
        end = f"  {end}" if end and "\n" not in value else ""
        blank = "\n" if self.random.random() < 0.1 else ""
        return f"{indent}{head}\n" * bool(head) + f"{indent}{name}: {value}{end}\n{blank}"

    def some(self, choices, share):
        return {name: values for name, values in choices.items() if self.random.random() < share}

    def text(self):
        entries = [self.entry(*item) for item in {**SURE, **self.some(MAYBE, 0.35)}.items()]
        variables = self.some(VARIABLES, 0.5) if self.random.random() < 0.6 else {}
        if variables:
            inner = [self.entry(name, values, "  ") for name, values in variables.items()]
            entries.append("ENV:\n" + "".join(inner))
        self.random.shuffle(entries)
        text = "".join(entries)
        text = self.random.choice([text, text.rstrip("\n")]).replace("\n", self.random.choice(["\n", "\r\n"]))
        return self.random.choice(["", "\ufeff"]) + text


@pytest.mark.long
def test_there_and_back_and_there():
    @examples(150)
    @given(seed=st.integers(0, 2**32))
    def check(seed):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "pyproject.toml").write_text(SPLIT)
            path = Path(folder) / "x.yaml"
            path.write_bytes(Flat(seed).text().encode())
            went.append(went_there_and_back_and_there(path))

    with floor(0.4) as went:
        check()


def went_there_and_back_and_there(path):
    """Whether it was refused nowhere; where it was, nothing was written."""
    before, original = texts(path), data(path)
    named, wrong, code = migrate(path)
    if code == 2:
        assert texts(path) == before
        return False
    first = data(path)
    assert errors(path) == wrong
    named_back, wrong, code = migrate(path, "--to", "colocate")
    if code == 2:  # an odd accumulation that only this side of the split makes whole
        assert data(path) == first
        return False
    back = data(path)
    assert errors(path) == wrong
    assert set(back) == {"x.yaml"}
    different = {name for name, value in differences(original["x.yaml"], back["x.yaml"])}
    assert different <= named | named_back, different - named - named_back
    migrate(path)
    assert data(path) == first
    return True


def migrate(path, *options):
    """The keys that a migration changed, the errors that it left, its exit code; comments stay, or are named."""
    before = said(path)
    ran = CliRunner().invoke(main, ["--write", "--report", "json", *options, str(path)])
    if ran.exit_code == 2:
        assert ran.stderr.startswith("error: ")
        return set(), [], 2
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    changes = report["changes"]
    named = [(change["kind"], comment) for change in changes for comment in change["comments"]]
    gone = [comment for kind, comment in named if kind != "moved" and " why;" in comment]
    assert sorted(said(path) + gone) == before
    again = CliRunner().invoke(main, ["--check", *options, str(path)])
    assert (again.exit_code, again.output) == (0, "")
    keys = {change["key"] for change in changes if change["kind"] != "moved" or change["old"] != change["new"]}
    return keys, report["before"], 0


def files(path):
    return [file for file in (path, path.with_name("x.rollout.yaml")) if file.exists()]


def texts(path):
    return {file.name: file.read_bytes() for file in files(path)}


def said(path):
    return sorted(comment for text in texts(path).values() for comment in comments(text.decode()))


def data(path):
    return {name: yaml.load(text, yaml.CSafeLoader) for name, text in texts(path).items()}


def errors(path):
    found = json.loads(CliRunner().invoke(validate_config, ["--format", "json", str(path)]).stdout)
    return [each for each in found["findings"] if each["severity"] == "error"]


def differences(left, right, prefix=""):
    for name in left.keys() | right.keys():
        one, other = left.get(name), right.get(name)
        if name == "ENV":
            yield from differences(one or {}, other or {}, "ENV.")
        elif repr(one) != repr(other):
            yield f"{prefix}{name}", (one, other)
