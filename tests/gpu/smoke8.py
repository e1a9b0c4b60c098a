"""The split against colocate on the same GPUs: the shipped summary preset's settings, a random 4.4 B Qwen3-VL.

    python tests/gpu/smoke8.py [--rollout-gpus 0,1,2,3,4,5] [--train-gpus 6,7] [--steps 5] [--python PATH]

First a server and its learner, through the launchers; then the same prompts, completions, lengths and global batch
in colocate mode on all these GPUs. `--more` adds half of the GPUs on each side, and utilization 0.85. The table
goes to build/smoke/report-8.md. Fewer GPUs work too, such as `--rollout-gpus 0 --train-gpus 1 --size tiny`.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import figures
import run
from preset import Work
from smoke import FOLDER
from smoke import READY
from smoke import Smoke

from schema.capacity import capacity

HEAD = ["", "ready", "step", "rollout", "sync", "rest", "tokens/s", "KV tokens an engine", "predicted"]
HEAD += ["server GPU", "learner GPU", "learner's torch", "weights moved", "left"]


def split(smoke: Smoke, work: Work, name: str) -> list[object]:
    """A server and a learner of so many steps; a row of figures."""
    preset = smoke.preset(work)
    smoke.gpus.peak.clear()
    server = smoke.server(preset)
    ready = server.until(READY, run.LOADS)
    learned = smoke.learner(preset).wait(run.LEARNS)
    peak = dict(smoke.gpus.peak)
    ended = server.end()
    assert learned.code == 0, learned.said[-6000:]
    moved = "yes" if "weights have changed" in learned.said else "not shown"
    memory = [_most(peak, smoke.rollout), _most(peak, smoke.train), f"{figures.learner_memory(learned.said)} GiB"]
    measured = [*_speed(learned.said, work), *_cache(ended.said, work), *memory]
    return [name, f"{ready:.0f} s", *measured, moved, _left(smoke)]


def colocate(smoke: Smoke, work: Work, name: str) -> list[object]:
    """The same work in colocate mode on all GPUs."""
    preset = smoke.preset(replace(work, mode="colocate"))
    every = ",".join(dict.fromkeys(f"{smoke.rollout},{smoke.train}".split(",")))
    smoke.gpus.peak.clear()
    log = FOLDER / f"{preset.stem}.log"
    learned = run.Launcher("colocate", preset, every, f"python={smoke.python}", log=log).wait(run.LEARNS)
    assert learned.code == 0, learned.said[-6000:]
    peak = f"{max(smoke.gpus.peak.values()) / 1024:.1f} GiB"
    torch = f"{figures.learner_memory(learned.said)} GiB"
    cache = _cache(learned.said, replace(work, utilization=work.utilization or 0.5))
    return [name, "-", *_speed(learned.said, work), *cache, peak, peak, torch, "-", _left(smoke)]


def _speed(said: str, work: Work) -> list[str]:
    steps = figures.steps(said)
    step, rollout, sync = (figures.typical(steps, name) for name in ("step", "generate", "sync"))
    # A random model hardly ever ends a completion by itself.
    tokens = 32 * work.completion / step
    return [
        f"{step:.1f} s",
        f"{rollout:.1f} s",
        f"{sync:.1f} s",
        f"{step - rollout - sync:.1f} s",
        f"{tokens:,.0f}",
    ]


def _cache(said: str, work: Work) -> list[object]:
    needed, total = capacity(work.model), run.memory()
    predicted = needed.tokens(total, work.utilization or 0.6, 1) if needed else None
    return [figures.kv_tokens(said) or "not logged", predicted]


def _most(peak: dict[str, int], gpus: str) -> str:
    return f"{max(peak[gpu] for gpu in gpus.split(',')) / 1024:.1f} GiB"


def _left(smoke: Smoke) -> str:
    used, left = smoke.gpus.free(), smoke.kin.left()
    return f"{len(left)} processes, {max(used.values())} MiB"


def main() -> None:
    """Reads the arguments, runs both modes, writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollout-gpus", default="0,1,2,3,4,5")
    parser.add_argument("--train-gpus", default="6,7")
    parser.add_argument("--size", choices=("tiny", "4b"), default="4b")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--completion", type=int, default=512, help="tokens of a completion")
    parser.add_argument("--more", action="store_true", help="also half and half, and utilization 0.85")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has ms-swift and vLLM")
    parser.add_argument("--share", action="store_true", help="both sides on one GPU, weights over TCP")
    wish = parser.parse_args()
    rows: list[list[object]] = []
    try:
        compare(wish, rows)
    finally:
        run.end_all()
        report = figures.table(HEAD, rows)
        Path(FOLDER / "report-8.md").write_text(report + "\n", encoding="utf-8")
        print(report)


def compare(wish: argparse.Namespace, rows: list[list[object]]) -> None:
    """Adds a row for each run."""
    rollout, train = wish.rollout_gpus.split(","), wish.train_gpus.split(",")
    smoke = Smoke(wish.rollout_gpus, wish.train_gpus, wish.python, wish.share)
    work = smoke.work(wish.size, steps=wish.steps, completion=wish.completion, engines=len(rollout))
    rows.append(split(smoke, work, f"server, {len(rollout)} + {len(train)}"))
    rows.append(colocate(smoke, work, f"colocate, {len({*rollout, *train})}"))
    if not wish.more:
        return
    rows.append(split(smoke, replace(work, utilization=0.85), f"server, {len(rollout)} + {len(train)}, 0.85"))
    every = [*rollout, *train]
    half = len(every) // 2
    smoke.rollout, smoke.train = ",".join(every[:half]), ",".join(every[half:])
    rows.append(split(smoke, replace(work, engines=half), f"server, {half} + {len(every) - half}"))


if __name__ == "__main__":
    main()
