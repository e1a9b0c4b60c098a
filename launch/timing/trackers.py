"""What a learner told wandb or swanlab of its steps: the parts of `learn`, which ms-swift tells nobody else.

ms-swift times its methods and logs each to both, in wandb in the row of its step, where the last call of a method
counts (4.5.2, rlhf_trainers/utils.py:585).
"""

from __future__ import annotations

import contextlib
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from launch.timing import swanlab
from launch.timing import wandb

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Methods that run once a rollout, by the name that a report has for what they do.
PARTS = {"rewards": "_compute_rewards_per_func", "batches": "_prepare_batch_inputs"}
#: Where each says that its file is; swanlab breaks its lines where a terminal would.
_WANDB = re.compile(r"\bwandb: Run data is saved locally in (\S.*?)\s*$", re.MULTILINE)
_SWANLAB = re.compile(r"Run data (?:will be saved locally in|saved at)\s+(/.{,4096}?/run-[\d_\n]+)-", re.DOTALL)
#: Lines of a learner's output among which they do.
_FIRST = 5_000
_TIMED = re.compile(r"profiling/Time taken: \w+\.(\w+)")
_STEP = "train/global_step"


def parts(output: Path) -> dict[int, dict[str, float]]:
    """Seconds of the parts of `learn`, by the step and the name; none if the run told nobody.

    In a learner's output wandb and swanlab say in which folder their files are.
    """
    found: dict[int, dict[str, float]] = {}
    for row in _rows(output):
        timed = {match[1]: value for name, value in row.items() if (match := _TIMED.fullmatch(name))}
        if _STEP in row:
            known = {name: timed[method] for name, method in PARTS.items() if method in timed}
            found.setdefault(int(row[_STEP]), {}).update(known)
    return found


def _rows(output: Path) -> Iterator[dict[str, float]]:
    printed = ""
    with contextlib.suppress(OSError), output.open(encoding="utf-8", errors="replace") as lines:
        printed = "".join(islice(lines, _FIRST))
    if saved := _WANDB.search(printed):
        for file in Path(saved[1]).glob("run-*.wandb"):
            yield from wandb.rows(file)
    if saved := _SWANLAB.search(printed):
        folder = Path(saved[1].replace("\n", ""))
        for file in folder.parent.glob(f"{folder.name}-*/*.swanlab"):
            yield from swanlab.rows(file)
