"""The best split of the shipped summary preset's work on two GPUs: 1 + 1 against colocate on both, 4.4 B, DoRA.

    python tests/gpu/recipe.py [--minutes 20] [--only TEXT] [--python PATH] [--size 4b]

All completions end at 512 tokens (`even`), or by chance, so that the longest is some four times as long as the
mean (`mixed`, at most 2,048); `long` has 8 for each step, of 2,048 tokens, or 16 of 1,024, where the others have
32. Learning rates are the preset's. One server serves all learners of the split. Each run's report and timings, or
what it printed, go to build/smoke/recipe; the table to build/smoke/recipe.md.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import figures
import run
from preset import Work
from smoke import FOLDER
from smoke import READY
from smoke import Smoke

PLACE = FOLDER / "recipe"
#: A token has four letters, and its first is never a z: one of 338 ends a completion.
MIXED: dict[str, object] = {"stop": ("zz",), "completion": 2048}
EVEN: dict[str, object] = {"completion": 512}
#: Few and long, where the split should win.
LONG: dict[str, object] = {"completion": 2048, "step": 8, "batch": 4}
HALF: dict[str, object] = {"completion": 1024, "step": 16, "batch": 4}
HEAD = ["run", "step", "rollout", "sync", "steps", "exit code", "held by torch"]


@dataclass(frozen=True)
class Run:
    """One run, and the minutes that it needs; a minute later it is ended."""

    name: str
    mode: str
    changes: dict[str, object]
    minutes: float


RUNS = [
    Run("server-mixed-async", "server", MIXED | {"batch": 4, "overlap": True}, 2.3),
    Run("server-even-async", "server", EVEN | {"batch": 8, "overlap": True}, 2.3),
    Run("server-mixed", "server", MIXED | {"batch": 4}, 3),
    Run("server-mixed-lora-async", "server", MIXED | {"batch": 4, "overlap": True, "dora": False}, 2.3),
    Run("server-long-half-async", "server", HALF | {"overlap": True}, 2.5),
    Run("server-long-async", "server", LONG | {"overlap": True}, 2.5),
    Run("server-long-half", "server", HALF, 2.5),
    Run("colocate-long-half", "colocate", HALF, 3),
    Run("colocate-long", "colocate", LONG, 3),
    Run("colocate-mixed", "colocate", MIXED | {"batch": 4}, 4.5),
    Run("colocate-even", "colocate", EVEN | {"batch": 8}, 4),
    Run("colocate-mixed-lora", "colocate", MIXED | {"batch": 4, "dora": False}, 4),
]


def play(smoke: Smoke, wish: argparse.Namespace) -> Iterator[list[object]]:
    """Runs what there is time for, the split first; a row for each."""
    deadline = time.monotonic() + 60 * wish.minutes
    os.environ["VLLM_LOG_STATS_INTERVAL"] = "1"
    base = smoke.work(wish.size, steps=wish.steps, moves=False)
    chosen = [each for each in RUNS if wish.only in each.name]
    if split := [each for each in chosen if each.mode == "server"]:
        server = smoke.server(smoke.preset(base))
        print(f"server ready after {server.until(READY, run.LOADS):.0f} s", flush=True)
        _wait_for(wish.after)
        yield from _runs(smoke, split, base, deadline)
        (PLACE / "server.log").write_text(server.end().said, encoding="utf-8")
        smoke.gpus.free()
    _wait_for(wish.after)
    yield from _runs(smoke, [each for each in chosen if each.mode == "colocate"], base, deadline)


def _wait_for(file: Path | None) -> None:
    while file and not file.exists():
        time.sleep(1)


def _runs(smoke: Smoke, runs: list[Run], base: Work, deadline: float) -> Iterator[list[object]]:
    """A row for each run that there is time for."""
    for each in runs:
        if time.monotonic() + 60 * each.minutes > deadline:
            print(f"{each.name}: no time is left", flush=True)
        else:
            yield _one(smoke, each, base)


def _one(smoke: Smoke, each: Run, base: Work) -> list[object]:
    """One run, and what it leaves."""
    preset = smoke.preset(replace(base, mode=each.mode, **each.changes))
    place = PLACE / each.name
    place.mkdir(parents=True, exist_ok=True)
    launcher = smoke.learner(preset) if each.mode == "server" else smoke.colocate(preset)
    try:
        ended = launcher.wait(60 * each.minutes + 60)
    except subprocess.TimeoutExpired:
        ended = launcher.end()
    (place / "said.txt").write_text(ended.said, encoding="utf-8")
    shutil.copy(preset, place / "preset.yaml")
    _keep(preset, place, each.mode)
    steps = figures.steps(ended.said)
    told = [f"{figures.typical(steps, name):.1f} s" if steps else "-" for name in ("step", "generate", "sync")]
    seconds = " / ".join(f"{step['step']:.1f}" for step in steps)
    return [each.name, *told, seconds, ended.code, f"{figures.learner_memory(ended.said)} GiB"]


def _keep(preset: Path, place: Path, mode: str) -> None:
    """Copies the timings of a run, and what the report says of it."""
    command = ["rollout-split", "report", f"--logs={FOLDER / 'logs'}"]
    folder = FOLDER / "logs" / "latest-learner"
    if mode == "colocate":
        folder = next((FOLDER / "output" / preset.stem).rglob("logging.jsonl"), folder).parent
    for name in ("timings.jsonl", "plan.json", "stamps.jsonl", "logging.jsonl"):
        for file in folder.resolve().glob(name):
            shutil.copy(file, place)
    for form in ("text", "json", "svg"):
        said = subprocess.run([*command, folder, "--format", form], capture_output=True, text=True, check=False)
        (place / f"report.{form}").write_text(said.stdout + said.stderr, encoding="utf-8")
        if form == "text":
            print(said.stdout + said.stderr, flush=True)


def main() -> None:
    """Reads the arguments, runs, writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--only", default="", help="runs with this in their name")
    parser.add_argument("--after", type=Path, help="learners start once this file is there")
    parser.add_argument("--size", choices=("tiny", "4b"), default="4b")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has ms-swift and vLLM")
    wish = parser.parse_args()
    smoke = Smoke("1", "0", wish.python, share=False)
    PLACE.mkdir(parents=True, exist_ok=True)
    rows: list[list[object]] = []
    try:
        for row in play(smoke, wish):
            rows.append(row)
            print(figures.table(HEAD, [row]), flush=True)
    finally:
        run.end_all()
        (FOLDER / "recipe.md").write_text(figures.table(HEAD, rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
