"""How much the GPUs of a side work, and what memory they have in use, while its program runs."""

from __future__ import annotations

import contextlib
import threading
import time
from statistics import fmean
from typing import TYPE_CHECKING

from launch.timing.stamps import Stamp
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from launch.timing.stamps import Stamper
    from schema.split.nvidia import Gpu

#: Seconds between two looks.
INTERVAL = 2.0
#: Seconds that the end of a launcher waits for a look that nvidia-smi has not answered.
_PATIENCE = 5.0


@contextlib.contextmanager
def sampled(gpus: Sequence[str], stamper: Stamper) -> Iterator[None]:
    """Writes a stamp of all these GPUs every two seconds; none where nvidia-smi cannot tell.

    Each look is a process of its own, which ends by itself if the launcher is killed.
    """
    end = threading.Event()
    thread = threading.Thread(target=_sample, args=(gpus, stamper, end), name="gpus", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(_PATIENCE)


def _sample(gpus: Sequence[str], stamper: Stamper, end: threading.Event) -> None:
    """Looks again and again; a machine whose first look fails has nothing to look with."""
    seen = dict(nvidia.busy())
    waits = bool(seen)
    while waits:
        found = [gpu for name in gpus if (gpu := nvidia.find(seen, name))]
        if found:
            stamper.write(Stamp(time.time(), "gpu", logged=_look(found, seen)))
        waits = not end.wait(INTERVAL)
        seen = dict(nvidia.busy()) if waits else {}


def _look(found: Sequence[Gpu], seen: Mapping[Gpu, float]) -> dict[str, float]:
    """How much some GPUs work on average, in percent, and the memory of the one with the most in use."""
    fullest = max(found, key=lambda gpu: gpu.used_gib)
    memory = {"used_gib": round(fullest.used_gib, 2), "total_gib": round(fullest.total_gib, 2)}
    return {"use": round(fmean(seen[gpu] for gpu in found), 1), **memory}
