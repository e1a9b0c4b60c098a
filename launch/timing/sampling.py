"""How much the GPUs of a side work, and what memory they have in use, while its program runs."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from launch.timing.stamps import Stamp
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.stamps import Stamper

#: Seconds between two looks.
INTERVAL = 2.0
#: Seconds that the end of a launcher waits for a look that nvidia-smi has not answered.
_PATIENCE = 5.0


@contextlib.contextmanager
def sampled(gpus: Sequence[str], stamper: Stamper) -> Iterator[None]:
    """Writes a stamp for each GPU every two seconds; none where nvidia-smi cannot tell.

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
        for gpu in filter(None, (nvidia.find(seen, name) for name in gpus)):
            memory = {"used_gib": round(gpu.used_gib, 2), "total_gib": round(gpu.total_gib, 2)}
            stamper.write(Stamp(time.time(), "gpu", logged={"gpu": float(gpu.number), "use": seen[gpu], **memory}))
        waits = not end.wait(INTERVAL)
        seen = dict(nvidia.busy()) if waits else {}
