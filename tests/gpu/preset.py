"""The presets of the smoke runs: the shipped summary preset with a local model, local prompts and few steps."""

from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = "configs/train/grpo/summary_1024.yaml"
MODES = {"server": SUMMARY, "colocate": f"tests/presets/colocate/{SUMMARY}"}


@dataclass(frozen=True)
class Work:
    """What one run does.

    Attributes:
        mode: server or colocate.
        model: folder of the checkpoint.
        prompts: the JSONL file.
        engines: DP of the server; each engine has a GPU of its own (TP 1).
        steps: optimizer steps.
        completion: the most tokens of a completion; a random model uses nearly all of them.
        utilization: share of a GPU's memory that an engine may take; None keeps the preset's.
        length: the most tokens of prompt and completion.
        batch: completions that a learner takes at once.
        step: completions of an optimizer step.
        overlap: completions for the next step are made while this one learns (async_generate).
        stop: words that end a completion; a random model writes them by chance.
        dora: else LoRA.
        moves: whether learning rates are so large that a few steps change what the model writes.
        port: of the server.
    """

    mode: str
    model: Path
    prompts: Path
    engines: int = 1
    steps: int = 3
    completion: int = 512
    utilization: float | None = None
    length: int = 8192
    batch: int = 2
    overlap: bool = False
    step: int = 32
    stop: tuple[str, ...] = ()
    dora: bool = True
    moves: bool = True
    port: int = 8080


def write(work: Work, folder: Path, name: str) -> Path:
    """Writes a preset that extends the shipped one of its mode; the folder is below the project's."""
    file = folder / f"{name}.yaml"
    output = str(folder / "output" / name)
    changes = {
        "extends": str(Path("../" * len(folder.relative_to(ROOT).parts)) / MODES[work.mode]),
        "global_max_length": work.length,
        "model": {"model": str(work.model), "model_type": "qwen3_vl", "attn_impl": "sdpa"},
        "tuner": {"use_dora": work.dora},
        "template": {"template": "qwen3_vl"},
        "training": _training(work, output),
        "data": _data(work),
        "rlhf": _rlhf(work),
    }
    if work.mode == "server":
        changes["custom"] = {"extra": {"rollout_server": _server(work)}}
    file.write_text(yaml.safe_dump(changes, sort_keys=False), encoding="utf-8")
    return file


def _training(work: Work, output: str) -> dict[str, object]:
    few = {"max_steps": work.steps, "logging_steps": 1, "eval_strategy": "no", "save_strategy": "no"}
    places = {"output_dir": output, "logging_dir": f"{output}/tb", "report_to": ["none"], "check_model": False}
    # A whole run of the shipped rates would be needed to see the weights move; these show in a few steps.
    rates: dict[str, object] = {"warmup_ratio": 0.0}
    if work.moves:
        rates |= {"learning_rate": 1.0e-3, "vit_lr": 1.0e-4, "aligner_lr": 1.0e-4}
    plugin = str(Path(__file__).with_name("plugin.py"))
    sizes = {
        "per_device_train_batch_size": work.batch,
        "save_last_epoch": False,
        "effective_batch_size": work.step,
    }
    return few | places | rates | sizes | {"run_name": "smoke", "external_plugins": [plugin]}


def _data(work: Work) -> dict[str, object]:
    data: dict[str, object] = {"dataset": [str(work.prompts)], "val_dataset": None, "dataset_num_proc": 1}
    alone = {"dataloader_num_workers": 0, "dataloader_prefetch_factor": None}
    return data | alone | {"dataloader_persistent_workers": False}


def _rlhf(work: Work) -> dict[str, object]:
    rewards = {"reward_funcs": ["letters"], "reward_weights": [1.0], "dynamic_sample": False}
    changes = rewards | {"max_completion_length": work.completion, "temperature": 1.0, "repetition_penalty": 1.0}
    changes |= {"generation_batch_size": work.step}
    changes |= {"stop_words": list(work.stop)} if work.stop else {}
    if work.mode == "server":
        ports = {"vllm_server_port": [work.port], "vllm_server_group_port": [work.port + 10000]}
        return changes | ports | {"async_generate": work.overlap}
    return changes if work.utilization is None else changes | {"vllm_gpu_memory_utilization": work.utilization}


def _server(work: Work) -> dict[str, object]:
    size: dict[str, object] = {"vllm_data_parallel_size": work.engines, "vllm_max_model_len": work.length}
    size |= {"vllm_engine_kwargs": {"disable_log_stats": False}}
    return size if work.utilization is None else size | {"vllm_gpu_memory_utilization": work.utilization}
