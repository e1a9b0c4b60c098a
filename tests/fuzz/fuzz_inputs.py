"""What is mutated: presets of both layouts with secrets in them, the project's table, a checkpoint's config."""

from pathlib import Path
from random import Random

TESTS = Path(__file__).parents[1]

#: What must never be shown: `planted` finds each of them.
PLANTED = "Planted"
_SECRETS = {
    "hub_token": "hf_Planted0123456789",
    "WANDB_API_KEY": "Planted1123456789",
    "api_key": "sk-Planted2123456789",
    "url": "http://someone:Planted3123456789@127.0.0.1:8000",
}

PYPROJECT = """[project]
name = "someone-s"

[tool.rollout-split]
rollout-gpus = 6
train-gpus = 2
swift-version = "4.5.2"
entry = "someone.train"

[tool.rollout-split.repository-keys]
training = ["curriculum_stage"]
"""

CONFIG = """{"architectures": ["X"], "model_type": "x", "max_position_embeddings": 32768,
"vision_config": {"depth": 2}, "num_experts": 0,
"text_config": {"num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2,
"hidden_size": 64, "head_dim": 8, "layer_types": ["full_attention", "full_attention"], "vocab_size": 100,
"quantization_config": {"quant_method": "fp8"}, "num_local_experts": 0, "sliding_window": null}}"""

NESTED = """# A preset as people have them.
global_max_length: 4096
model: {{model: models/m, torch_dtype: bfloat16, model_kwargs: {{max_pixels: 1003520}}}}
template: {{template: qwen3, truncation_strategy: right}}
tuner:
  tuner_type: lora   # plain
  lora_rank: 8
data: {{dataset: [a.jsonl], val_dataset: [b.jsonl]}}
training:
  run_name: r
  output_dir: o
  logging_dir: l
  num_train_epochs: 1
  learning_rate: 1.0e-6
  vit_lr: 1.0e-7
  aligner_lr: 1.0e-6
  per_device_train_batch_size: 2
  per_device_eval_batch_size: 4
  effective_batch_size: 32
  eval_strategy: steps
  hub_token: {hub_token}   # token: {hub_token}
rlhf:
  rlhf_type: grpo
  reward_funcs: [accuracy, format]
  reward_weights: [1.0, 0.5]
  num_generations: 4
  generation_batch_size: 32
  max_completion_length: 1024
  use_vllm: true
{mode}
deepspeed: {{enabled: true, config: zero2}}
"""

_NESTED_COLOCATE = """  vllm_mode: colocate
  # The engine's share of memory.
  vllm_gpu_memory_utilization: 0.45
  vllm_tensor_parallel_size: 2
  vllm_max_model_len: 8192
  vllm_engine_kwargs: {{max_logprobs: 5, hf_token: {hub_token}}}
  sleep_level: 1
custom: {{train_jsonl: a.jsonl}}"""

_NESTED_SERVER = """  vllm_mode: server
  vllm_server_host: ["127.0.0.1"]
  vllm_server_port: [8080]
  vllm_server_timeout: 300
  vllm_server_base_url: null   # {url}
custom:
  extra:
    rollout_server:
      vllm_tensor_parallel_size: 1
      vllm_data_parallel_size: 6   # six engines
      vllm_max_model_len: 8192
      vllm_gpu_memory_utilization: 0.6
      # api_key: {api_key}
      api_key: {api_key}
      vllm_enable_lora: false"""

FLAT = """# For swift rlhf.
rlhf_type: grpo
model: models/m
model_kwargs: {{max_pixels: 1003520}}
torch_dtype: bfloat16
tuner_type: full
dataset: [a.jsonl, b.jsonl]
reward_funcs: [accuracy, format]
num_generations: 4
per_device_train_batch_size: 2
gradient_accumulation_steps: 4
max_length: 3072
max_completion_length: 512
deepspeed: zero2
hub_token: "{hub_token}"
use_vllm: true
{mode}
ENV:
  NPROC_PER_NODE: {learners}
  WANDB_API_KEY: {WANDB_API_KEY}
  MAX_PIXELS: 1003520
  VLLM_USE_V1: 1
"""

_FLAT_COLOCATE = """vllm_mode: colocate
vllm_gpu_memory_utilization: 0.45   # a share
vllm_max_model_len: 8192
vllm_limit_mm_per_prompt: {{image: 5}}
sleep_level: 1"""

_FLAT_SERVER = """vllm_mode: server
vllm_server_host: 127.0.0.1
vllm_server_port: 8000
vllm_server_group_port: 51216"""

ROLLOUT = """model: models/m
model_kwargs: {{max_pixels: 1003520}}
torch_dtype: bfloat16
host: 127.0.0.1
port: 8000
max_length: 3072
api_key: {api_key}
vllm_tensor_parallel_size: 1
vllm_data_parallel_size: 6
vllm_max_model_len: 8192
vllm_gpu_memory_utilization: 0.6
ENV:
  CUDA_VISIBLE_DEVICES: 0,1,2,3,4,5
  WANDB_API_KEY: {WANDB_API_KEY}
"""

Files = dict[str, bytes]

#: What every project has.
USUAL: Files = {"pyproject.toml": PYPROJECT.encode(), "models/m/config.json": CONFIG.encode()}


def _made(text: str, **parts: str) -> str:
    return text.format(**_SECRETS, **parts)


def own() -> list[Files]:
    """Whole presets of each kind, each the file `x.yaml`."""
    nested = [_made(NESTED, mode=_made(mode)) for mode in (_NESTED_COLOCATE, _NESTED_SERVER)]
    child = "extends: [base.yaml]\nrlhf:\n  vllm_max_model_len: null\n  temperature: 0.9   # warm\n"
    colocate = _made(FLAT, mode=_made(_FLAT_COLOCATE), learners="8")
    server = _made(FLAT, mode=_FLAT_SERVER, learners="2")
    found = [
        {"x.yaml": nested[0]},
        {"x.yaml": nested[1]},
        {"x.yaml": child, "base.yaml": nested[0]},
        {"x.yaml": child, "base.yaml": nested[1]},
        {"x.yaml": colocate},
        {"x.yaml": server, "x.rollout.yaml": _made(ROLLOUT)},
        {"x.yaml": server.replace("vllm_mode: server\n", ""), "x.rollout.yaml": _made(ROLLOUT)},
    ]
    return [{name: text.encode() for name, text in files.items()} for files in found]


def cases() -> list[Files]:
    """The files of the migration's own cases and of the rules' examples, the named one `x.yaml`."""
    found = []
    for folder in sorted(TESTS.glob("migrate/cases*/*/before")):
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
        if files:
            found.append(files | {"base.yaml": (TESTS / "migrate/cases/base.yaml").read_bytes()})
    base = {f"base/{path.name}": path.read_bytes() for path in (TESTS / "examples/base").glob("*.yaml")}
    for path in sorted(TESTS.glob("examples/rules/*/*/*.yaml")):
        half = path.with_name(f"{path.stem}.rollout.yaml")
        if not path.stem.endswith(".rollout"):
            text = path.read_bytes().replace(b"../../../../base/", b"base/").replace(b"../../../base/", b"base/")
            found.append(
                {"x.yaml": text, **base} | ({"x.rollout.yaml": half.read_bytes()} if half.exists() else {})
            )
    return found


class Inputs:
    """Inputs by number, before they are mutated."""

    def __init__(self) -> None:
        self._own, self._cases = own(), cases()

    def pick(self, random: Random) -> Files:
        """A project with a preset, or several."""
        files = random.choice(self._own if random.random() < 0.6 else self._cases)
        return {**files, **USUAL}
