"""Which GPUs roll out and which learn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.swift.argument import is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schema.layouts.preset import Preset
    from schema.resolve import Project

#: Learner processes when nothing says how many: the 6 + 2 split of one node with eight GPUs.
DEFAULT_LEARNERS = 2
DEFAULT_ROLLOUT = 6

#: More GPUs than any side has; what counts them is bounded.
MAX_GPUS = 4096
_GPU = r"[0-9]+|(?:GPU|MIG)-[0-9A-Za-z/-]+"
_RANGE = "([0-9]{1,9})-([0-9]{1,9})"


class Gpus(NamedTuple):
    """GPUs of one side: how many, and which if they were listed."""

    count: int  # type: ignore[assignment]  # tuples have a method of this name
    ids: tuple[str, ...] = ()


class Split(NamedTuple):
    """The split that a preset is checked against.

    Attributes:
        rollout: GPUs of the rollout server, or None if nothing says.
        train: GPUs of the learner, one process each (W), or None if nothing says.
        train_source: what says so, for messages.
    """

    rollout: Gpus | None = None
    train: Gpus | None = None
    train_source: str = ""


class Shares(NamedTuple):
    """How many GPUs each side has; None where nothing says, or where nothing is left for it."""

    rollout: int | None = None
    train: int | None = None


def server_size(preset: Preset) -> int | None:
    """GPUs that a preset's server takes, TP x DP; None where a preset has no server, or no such numbers.

    Unset is 1 in a file that `swift rollout` reads itself (ms-swift 4.5.2, rlhf_trainers/args_mixin.py
    VllmArguments); the nested block has to name both.
    """
    if preset.mode != "server" or preset.block is None:
        return None
    default = 1 if preset.apart else None
    size = 1
    for name in ("vllm_tensor_parallel_size", "vllm_data_parallel_size"):
        value = preset.served(name)
        number = default if value is None else value
        if not is_whole(number):
            return None
        size *= number
    return size


def project_split(project: Project, preset: Preset) -> Shares:
    """How a project splits its GPUs for a preset.

    rollout-gpus and train-gpus are one split for all of its presets. Of `gpus` alone the server takes its TP x DP;
    a preset without a server gets three quarters for rollouts, as 6 of 8, in whole engines of its TP.
    """
    settings = project.settings
    rollout, train, gpus = settings.rollout_gpus, settings.train_gpus, settings.gpus
    if gpus is None:
        return Shares(rollout, train)
    if rollout is None:
        rollout = gpus - train if train is not None else _of_node(gpus, preset)
    if train is None and rollout is not None and rollout < gpus:
        train = gpus - rollout
    return Shares(rollout, train)


def _of_node(gpus: int, preset: Preset) -> int | None:
    if preset.mode == "server":
        return server_size(preset)
    value = preset.value("vllm_tensor_parallel_size")
    tensor = value if is_whole(value) and value < gpus else 1
    return (gpus - max(1, gpus // 4)) // tensor * tensor


def processes(text: str | None) -> int | None:
    """A number of processes or GPUs as an environment variable says it, or None where it says none."""
    number = int(text) if text and re.fullmatch("[0-9]{1,9}", text.strip()) else 0
    return number if 1 <= number <= MAX_GPUS else None


def parse_gpus(text: str) -> Gpus:
    """Reads `6` (a count), or `0,1,2`, `0-5` and `0,` (lists of ids; also GPU-... and MIG-... ids).

    Raises:
        InputError: it is neither, or a GPU is listed twice.
    """
    text = text.strip()
    if text.isdecimal():
        count = processes(text)
        if count is None:
            raise InputError(f"a side of the split has from 1 to {MAX_GPUS} GPUs")
        return Gpus(count)
    return parse_list(text)


def parse_list(text: str) -> Gpus:
    """Reads ids and ranges of numbers alone: `6` is the GPU of that number, `0-2` are three.

    Raises:
        InputError: it is no list, or a GPU is listed twice.
    """
    parts = [part.strip() for part in text.removesuffix(",").split(",")]
    ids = tuple(gpu for part in parts for gpu in _ids(part))
    wrong = [gpu for gpu in ids if not re.fullmatch(_GPU, gpu)]
    if wrong:
        raise InputError(f"{text!r} is neither a number of GPUs nor a list such as 0,1,2 or 0-5")
    if len(set(ids)) < len(ids):
        twice = next(gpu for gpu in ids if ids.count(gpu) > 1)
        raise InputError(f"GPU {twice} is listed twice in {text!r}")
    return Gpus(len(ids), ids)


def _ids(part: str) -> Iterable[str]:
    """The GPUs of one part of a list: a range, or one id, in which a dash means nothing."""
    ends = re.fullmatch(_RANGE, part)
    if ends is None:
        return (part,)
    first, last = map(int, ends.groups())
    if last < first:
        raise InputError(f"{part} is not a range of GPUs: it runs backwards; write {last}-{first}")
    if last - first >= MAX_GPUS:
        raise InputError(f"{part} has more than {MAX_GPUS} GPUs")
    return map(str, range(first, last + 1))


def refuse_overlap(rollout: Gpus | None, train: Gpus | None) -> None:
    """Refuses a split in which one GPU is on both sides.

    The learner would die in NCCL: "Duplicate GPU detected ... both on CUDA device" (seen on ms-swift 4.5.2).

    Raises:
        InputError: a GPU is listed on both sides.
    """
    shared = sorted(set(rollout.ids if rollout else ()) & set(train.ids if train else ()))
    if shared:
        raise InputError(
            f"GPU {', '.join(shared)} is on both sides of the split; rollout and learner must not share GPUs"
        )
