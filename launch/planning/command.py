"""From what an operator asks to the plans of a preset."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.planning import devices
from launch.planning.findings import findings
from launch.planning.findings import refused
from launch.planning.hint import hint
from launch.planning.plans import Planned
from launch.planning.plans import is_better
from launch.planning.plans import other_batches
from launch.planning.plans import plans
from launch.planning.seconds import Basis
from launch.planning.seconds import Calibration
from launch.planning.work import work
from schema import check
from schema.audit import Audit
from schema.commands.validate import absolute
from schema.errors import InputError
from schema.layouts.preset import Kind
from schema.resolve import Workspace
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from launch.planning.devices import Device
    from launch.planning.work import Work
    from schema.context import Context
    from schema.layouts.preset import Preset


class Node(NamedTuple):
    """What an operator says of the node, GiB as nvidia-smi tells them; the machine or the preset says the rest."""

    gpus: int | None = None
    gpu_memory: float | None = None
    prompt_tokens: int | None = None
    model: Path | None = None


def planned(config: Path, asked: Node, runs: Sequence[Path]) -> Planned:
    """All plans of a preset on a node, and what is wrong with its own; runs are folders of learners' starts.

    Raises:
        InputError: the preset cannot be read or planned, a folder is no run, or no GPUs are known.
    """
    workspace, options = Workspace(), check.Options()
    preset = check.load(workspace, absolute(config))
    if preset.kind is not Kind.GRPO:
        raise check.no_grpo(preset)
    context = check.context(workspace, preset, options)
    gpus, gib = _node(asked)
    needs = work(context, gpus, asked.model)
    needs = needs._replace(prompt=asked.prompt_tokens or needs.prompt)
    known = _known(context, needs, runs, devices.find(gib) if asked.gpu_memory else devices.here(gib))
    found = plans(context, needs, gpus, gib, known)
    own = next(plan for plan in found if plan.is_own)
    audit = Audit(workspace, options)
    errors = [finding for finding in audit.findings(context) if finding.is_error]
    first = found[0].candidate if is_better(found[0]) else None
    return Planned(
        title=str(config),
        gpus=gpus,
        gib=gib,
        work=needs,
        plans=found,
        others=other_batches(context, needs, gpus, gib, known),
        known=known,
        problems=[*refused(context, needs, gpus, len(errors)), *findings(context, needs, own.memory, gib)],
        hint=list(hint(context, needs, first, str(config), _related(preset, audit))) if first else [],
    )


def _related(preset: Preset, audit: Audit) -> list[Path]:
    """The presets that a migration takes along: those that it extends, and those that extend it or one of them."""
    bases = [] if preset.apart else [file for file in preset.resolved.bases if audit.is_preset(file)]
    extending = (each for file in (*bases, preset.resolved.path) for each in audit.extending(file))
    return list(dict.fromkeys([*bases, *extending]))


def _known(context: Context, needs: Work, runs: Sequence[Path], device: Device | None) -> Calibration | None:
    """What is known of seconds: by runs, else by the GPU alone; None if neither tells any.

    Runs tell seconds also where the GPU is not known: what it can do cancels out of what is compared.

    Raises:
        InputError: a folder is no run, or none tells what is needed.
    """
    if runs:
        from launch.planning.calibration import calibration  # noqa: PLC0415 - with pydantic, a third of a start
        from launch.timing.run import read  # noqa: PLC0415

        found = calibration(context, needs, [read(folder) for folder in runs], device or devices.DEVICES[0])
        if found is None:
            raise InputError("no folder of --runs tells the parts of steps and the lengths of completions")
        return found
    longest = float(needs.completion)
    return Calibration((), Basis(device, longest, longest)) if device and needs.shape.layers else None


def _node(asked: Node) -> tuple[int, float]:
    """GPUs, and GiB of each: what is asked, else this machine's.

    Raises:
        InputError: nothing is asked, and nvidia-smi tells nothing.
    """
    gpus, gib = asked.gpus, asked.gpu_memory
    if gpus is not None and gib is not None:
        return gpus, gib
    here = nvidia.gpus()
    if not here:
        lacks = [option for option, value in (("--gpus N", gpus), ("--gpu-memory GIB", gib)) if value is None]
        raise InputError(f"nvidia-smi tells no GPUs of this machine; pass {' and '.join(lacks)}")
    return gpus or len(here), gib or min(gpu.total_gib for gpu in here)
