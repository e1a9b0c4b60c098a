"""GPUs of this machine as nvidia-smi tells them."""

from __future__ import annotations

import csv
import subprocess
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Seconds that nvidia-smi gets; without persistence mode it wakes the driver first.
TIMEOUT = 30
_MIB_PER_GIB = 1024


class Gpu(NamedTuple):
    """One GPU.

    Attributes:
        number: what CUDA_VISIBLE_DEVICES calls it; both count in the order of the bus where all are of one kind.
        uuid: its name for ever, such as GPU-8f5...
        used: memory in use, MiB.
        total: memory that it has, MiB.
        apps: process ids that compute on it, as far as the driver tells, each with its MiB or None.
    """

    number: str
    uuid: str
    used: int
    total: int
    apps: tuple[tuple[int, int | None], ...] = ()

    @property
    def used_gib(self) -> float:
        """Memory in use, GiB."""
        return self.used / _MIB_PER_GIB

    @property
    def total_gib(self) -> float:
        """Memory that it has, GiB."""
        return self.total / _MIB_PER_GIB


def gpus() -> tuple[Gpu, ...] | None:
    """The GPUs, or None if there is no nvidia-smi, or it fails."""
    rows = _query("--query-gpu=index,uuid,memory.used,memory.total")
    if rows is None:
        return None
    apps = _query("--query-compute-apps=gpu_uuid,pid,used_memory") or []
    return tuple(_gpu(row)._replace(apps=_apps(apps, row[1])) for row in rows if len(row) == 4)


def busy() -> tuple[tuple[Gpu, int], ...]:
    """Each GPU, and the percent of the last moments in which it computed; none if nvidia-smi cannot tell."""
    rows = _query("--query-gpu=index,uuid,memory.used,memory.total,utilization.gpu") or []
    return tuple((_gpu(row), int(row[4])) for row in rows if len(row) == 5 and row[4].isdecimal())


def names() -> tuple[str, ...]:
    """What each GPU is, such as NVIDIA H200; none if nvidia-smi cannot tell."""
    return tuple(row[0] for row in _query("--query-gpu=name") or [] if len(row) == 1)


def find(known: Iterable[Gpu], name: str) -> Gpu | None:
    """The GPU that an index or a UUID names; CUDA takes a UUID's beginning, too, if only one GPU has it."""
    found = [gpu for gpu in known if name == gpu.number or gpu.uuid.startswith(name)]
    return found[0] if len(found) == 1 else None


def _gpu(row: list[str]) -> Gpu:
    return Gpu(row[0], row[1], _number(row[2]) or 0, _number(row[3]) or 0)


def _apps(rows: list[list[str]], uuid: str) -> tuple[tuple[int, int | None], ...]:
    mine = [row for row in rows if len(row) == 3 and row[0] == uuid and row[1].isdecimal()]
    return tuple((int(row[1]), _number(row[2])) for row in mine)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _query(what: str) -> list[list[str]] | None:
    words = ["nvidia-smi", what, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
