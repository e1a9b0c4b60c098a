"""The split against colocate on the same GPUs: the shipped summary preset's settings, a random 4.4 B Qwen3-VL.

    python tests/gpu/smoke8.py [--rollout-gpus 0,1,2,3,4,5] [--train-gpus 6,7] [--steps 5] [--python PATH]

First a server and its learner, through the launchers; then the same prompts, completions, lengths and global batch
in colocate mode on all these GPUs. `--more` repeats both with larger batches, and the split with completions made
while the learner learns; then come utilization 0.85, and half of the GPUs on each side. The table goes to
build/smoke/report-8.md. Fewer GPUs work too, such as `--rollout-gpus 0 --train-gpus 1 --size tiny`.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import figures
import run
from preset import Work
from smoke import FOLDER
from smoke import READY
from smoke import Smoke

from launch.sizing.server import fit
from schema.checkpoint import config
from schema.shape.model import shape
from schema.split.capacity import Engine

HEAD = ["", "ready", "step", "rollout", "sync", "rest", "tokens/s", "KV tokens an engine", "predicted"]
HEAD += ["rollout GPU", "learner GPU", "learner's torch", "weights moved", "left"]
#: Completions of an optimizer step.
GLOBAL_BATCH = 32


class Learned(NamedTuple):
    """What a learner did: what it said, and the most MiB that were in use on each GPU meanwhile."""

    work: Work
    said: str
    peak: dict[str, int]


def split(smoke: Smoke, name: str, *works: Work) -> Iterator[list[object]]:
    """A server, and one learner after the other; a row of figures for each."""
    server = smoke.server(smoke.preset(works[0]))
    ready = server.until(READY, run.LOADS)
    learned = [_learn(smoke, work) for work in works]
    ended, left = server.end(), _left(smoke)
    for one in learned:
        moved = "yes" if "weights have changed" in one.said else "not shown"
        memory = [_most(one.peak, smoke.rollout.split(",")), _most(one.peak, smoke.train.split(","))]
        yield _row(name, f"{ready:.0f} s", one, [*_cache(ended.said, one.work), *memory], [moved, left])


def colocate(smoke: Smoke, name: str, *works: Work) -> Iterator[list[object]]:
    """The same in colocate mode on all GPUs."""
    for work in works:
        one = _learn(smoke, replace(work, mode="colocate"))
        cache = _cache(one.said, replace(work, utilization=work.utilization or 0.5))
        peak = _most(one.peak, smoke.every)
        yield _row(name, "-", one, [*cache, peak, peak], ["-", _left(smoke)])


def _learn(smoke: Smoke, work: Work) -> Learned:
    preset = smoke.preset(work)
    smoke.gpus.peak.clear()
    launcher = smoke.learner(preset) if work.mode == "server" else smoke.colocate(preset)
    ended = launcher.wait(run.LEARNS)
    whole = ended.code == 0 and len(figures.steps(ended.said)) == work.steps
    # That a larger batch does not fit is a result.
    full = work.batch > Work.batch and "OutOfMemoryError" in ended.said
    smoke.expect(whole or full, f"{launcher.log}: exit code {ended.code}\n{ended.said[-6000:]}")
    return Learned(work, ended.said, dict(smoke.gpus.peak))


def _row(name: str, ready: str, one: Learned, memory: list[object], end: list[object]) -> list[object]:
    name += f", batch {one.work.batch}" + ", async_generate" * one.work.overlap
    held = figures.learner_memory(one.said)
    torch = "-" if held is None else f"{held} GiB"
    return [name, ready, *_speed(one.said, one.work), *memory, torch, *end]


def _speed(said: str, work: Work) -> list[str]:
    steps = figures.steps(said)
    if len(steps) < work.steps:
        return ["out of memory" if "OutOfMemoryError" in said else "failed", *["-"] * 4]
    step, rollout, sync = (figures.typical(steps, name) for name in ("step", "generate", "sync"))
    waits = sync if work.overlap else rollout + sync
    seconds = [f"{value:.1f} s" for value in (step, rollout, sync, step - waits)]
    # A random model hardly ever ends a completion by itself.
    return [*seconds, f"{GLOBAL_BATCH * work.completion / step:,.0f}"]


def _cache(said: str, work: Work) -> list[object]:
    predicted = fit(shape(config(work.model) or {}), Engine(work.utilization or 0.6, work.length), run.memory())
    return [figures.kv_tokens(said) or "not logged", predicted.kv_tokens]


def _most(peak: dict[str, int], gpus: list[str]) -> str:
    return f"{max(peak.get(gpu, 0) for gpu in gpus) / 1024:.1f} GiB"


def _left(smoke: Smoke) -> str:
    used, left = smoke.gpus.free(), smoke.kin.left()
    return f"{len(left)} processes, {max(used.values())} MiB"


def compare(smoke: Smoke, wish: argparse.Namespace) -> Iterator[list[object]]:
    """A row for each run."""
    every, rollouts, learners = smoke.every, len(smoke.rollout.split(",")), len(smoke.train.split(","))
    work = partial(smoke.work, wish.size, steps=wish.steps, completion=wish.completion)
    shape = f"server, {rollouts} + {learners}"
    variants = 3 if wish.more else 1
    yield from split(smoke, shape, *_harder(work(engines=rollouts), learners)[:variants])
    yield from colocate(smoke, f"colocate, {len(every)}", *_harder(work(), len(every))[: min(variants, 2)])
    if not wish.more:
        return
    yield from split(smoke, f"{shape}, 0.85", work(engines=rollouts, utilization=0.85))
    half = len(every) // 2
    if half not in {0, rollouts}:
        smoke.rollout, smoke.train = ",".join(every[:half]), ",".join(every[half:])
        name = f"server, {half} + {len(every) - half}"
        yield from split(smoke, name, *_harder(work(engines=half), len(every) - half))


def _harder(work: Work, learners: int) -> list[Work]:
    """The work, with batches as large as fit into the global batch, up to 8, and with overlap besides."""
    large = replace(work, batch=min(8, GLOBAL_BATCH // learners))
    return [work, large, replace(large, overlap=True)]


def main() -> None:
    """Reads the arguments, runs both modes, writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollout-gpus", default="0,1,2,3,4,5")
    parser.add_argument("--train-gpus", default="6,7")
    parser.add_argument("--size", choices=("tiny", "4b"), default="4b")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--completion", type=int, default=512, help="tokens of a completion")
    parser.add_argument("--more", action="store_true", help="also what else could make it faster, see above")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has ms-swift and vLLM")
    parser.add_argument("--share", action="store_true", help="both sides on one GPU, weights over TCP")
    wish = parser.parse_args()
    smoke = Smoke(wish.rollout_gpus, wish.train_gpus, wish.python, wish.share)
    rows: list[list[object]] = []
    try:
        for row in compare(smoke, wish):
            rows.append(row)
            print(figures.table(HEAD, [row]), flush=True)
    finally:
        run.end_all()
        report = figures.table(HEAD, rows)
        Path(FOLDER / "report-8.md").write_text(report + "\n", encoding="utf-8")
        print(report)
    sys.exit(1 if smoke.wrong else 0)


if __name__ == "__main__":
    main()
