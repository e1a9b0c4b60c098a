"""The record of a start, beside its logs: the resolved preset, the command, the environment, the versions."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from launch import state
from launch.run import logs
from launch.timing.made_of import made_of
from schema import secrets
from schema.errors import InputError
from schema.pyyaml import yaml
from schema.resolve.tree import data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launch.run.start import Start
    from schema.resolve import Tree

#: Variables that change how ms-swift, vLLM, torch or NCCL run.
_RELEVANT = re.compile(
    r"(?:CUDA|NVIDIA|NCCL|GLOO|TORCH|PYTORCH|TRITON|VLLM|SWIFT|ROLLOUT_SPLIT|HF|HUGGINGFACE|TRANSFORMERS|MODELSCOPE"
    r"|DS|DEEPSPEED|OMP|MKL|RAY|WANDB|SLURM|MAX_PIXELS|IMAGE|VIDEO|FPS)(?:_|$)"
    r"|(?:LD_LIBRARY_PATH|PYTHONPATH|PATH|VIRTUAL_ENV|CONDA_PREFIX|TMPDIR|RANK|LOCAL_RANK|WORLD_SIZE|MASTER_.*"
    r"|NPROC_PER_NODE|(?:no|https?|all)_proxy)$",
    re.IGNORECASE,
)


def create(start: Start) -> Path:
    """Makes the folder of a start, and writes its record there.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = logs.folder(start.request.logs, start.request.side)
    start.report.log = folder / logs.LAUNCHER
    logs.link_latest(folder, start.request.side, start.report)
    _write(folder, start)
    start.report(f"logs in {folder}")
    return folder


def _write(folder: Path, start: Start) -> None:
    """Writes plan.json and the resolved preset; secrets are starred."""
    preset = start.context.preset
    halves: dict[str, Tree] = {"preset.yaml": preset.tree}
    if preset.apart and preset.block is not None:
        halves["preset.rollout.yaml"] = preset.block
    plan = {
        "side": start.request.side,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "preset": str(preset.resolved.path),
        "command": secrets.command(start.argv),
        "gpus": start.plan.gpus,
        "environment": environment(start.environment),
        "not_inherited": [name for name in start.plan.unset if name in os.environ],
        "server": start.plan.facts and start.plan.facts.model_dump(),
        **_steps(start),
        "python": start.toolchain.python,
        "versions": dict(start.software or {}),
    }
    try:
        (folder / "plan.json").write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
        for name, tree in halves.items():
            text = yaml.safe_dump(secrets.hidden(data(tree)), sort_keys=False, allow_unicode=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}; pass --logs DIR to write logs elsewhere") from error


def _steps(start: Start) -> dict[str, object]:
    """Of a learner: what its steps are made of, and the folder of its server's logs."""
    if start.request.side == "server":
        return {}
    job = state.job("server", start.plan.server.port) if start.plan.facts else None
    server = Path(job.log).parent if job else None
    return {
        "steps_are_made_of": secrets.hidden(made_of(start.context, start.plan, server).document()),
        "server_logs": server and str(server),
    }


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The relevant variables, without their secrets."""
    relevant = {name: value for name, value in sorted(variables.items()) if _RELEVANT.match(name)}
    return {name: str(secrets.hidden(value, name)) for name, value in relevant.items()}
