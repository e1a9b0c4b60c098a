"""How much memory learners take on one GPU, and engines on one or two: many small settings, a line of JSON each.

    python tests/gpu/sizes.py start FOLDER [--only TEXT] [--kind KIND] [--minutes 18]   # goes on by itself
    python tests/gpu/sizes.py wait FOLDER [--seconds 500] [--out PLACE]   # waits for it, gathers what is there

Runs beside ms-swift and vLLM. FOLDER holds models, logs and results, 12 GB; PLACE gets sizes.jsonl and failed.txt.
An engine has the GPU to itself, since vLLM counts what others take while it looks, and needs some 75 s; learners
run side by side, and do not need vLLM. What waits for the GPU has loaded its libraries by then.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path

#: Seconds that a process gets once it has the GPU.
LIMIT = 280
DONE = "done"


@dataclass(frozen=True)
class Engine:
    """A vLLM engine as `swift rollout` starts it, with weights that are not read; `tensor` GPUs hold it."""

    name: str
    model: str
    utilization: float
    length: int = 8192
    eager: bool = False
    cache: str = "auto"
    sequences: int | None = None
    tensor: int = 1
    kind: str = "engine"
    alone: bool = True


@dataclass(frozen=True)
class Learner:
    """A learner in server mode, whose server answers at once and takes no weights.

    Attributes:
        batch: per_device_train_batch_size.
        completion: tokens of each completion.
        zero: the stage of DeepSpeed, or none; where DeepSpeed is not installed, none whatever it says.
        batches: move_model_batches.
        alone: the GPU is too small for another one beside it.
    """

    name: str
    model: str
    batch: int
    completion: int
    dora: bool = False
    full: bool = False
    vision: bool = True
    checkpointing: bool = True
    zero: int | None = 2
    batches: int | None = None
    kind: str = "learner"
    alone: bool = False


SETTINGS: list[Learner | Engine] = [
    Engine("two-gpus-dense", "qwen3-4b", 0.6, tensor=2),
    Engine("two-gpus-vl-eager", "qwen3-vl-4b", 0.45, 32768, eager=True, tensor=2),
    Learner("dora-1", "qwen3-vl-4b-weights", 1, 256, dora=True),
    Learner("dora-8", "qwen3-vl-4b-weights", 8, 256, dora=True),
    Learner("full-4", "qwen3-0.6b-weights", 4, 256, full=True),
    Learner("lora-1-long", "qwen3-vl-4b-weights", 1, 1024, zero=None),
    Learner("lora-8", "qwen3-vl-4b-weights", 8, 256),
    Learner("full-4-long-plain", "qwen3-0.6b-weights", 4, 1024, full=True, zero=None),
    Learner("dora-4-long", "qwen3-vl-4b-weights", 4, 1024, dora=True),
    Learner("lora-8-frozen-zero3", "qwen3-vl-4b-weights", 8, 256, vision=False, zero=3),
    Learner("full-16-zero3", "qwen3-0.6b-weights", 16, 256, full=True, zero=3),
    Learner("dora-8-batches", "qwen3-vl-4b-weights", 8, 256, dora=True, batches=8),
    Learner("lora-2-no-checkpointing", "qwen3-vl-4b-weights", 2, 256, checkpointing=False),
    Learner("full-2-no-checkpointing", "qwen3-0.6b-weights", 2, 1024, full=True, checkpointing=False),
    Learner("dora-16", "qwen3-vl-4b-weights", 16, 256, dora=True, zero=None, alone=True),
    Learner("lora-16-long", "qwen3-vl-4b-weights", 16, 1024, alone=True),
    Learner("dora-2-no-checkpointing", "qwen3-vl-4b-weights", 2, 256, dora=True, checkpointing=False, alone=True),
    Learner("lora-4-long-no-checkpointing", "qwen3-vl-4b-weights", 4, 1024, checkpointing=False, alone=True),
    Engine("dense", "qwen3-4b", 0.6),
    Engine("moe-eager", "qwen3-moe-10b", 0.5, 32768, eager=True),
    Engine("vl-long", "qwen3-vl-4b", 0.85, 32768),
    Engine("dense-fp8-eager", "qwen3-4b", 0.3, eager=True, cache="fp8"),
    Engine("small", "qwen2.5-0.5b", 0.3),
    Engine("vl-eager", "qwen3-vl-4b", 0.45, eager=True),
    Engine("moe", "qwen3-moe-10b", 0.7),
    Engine("dense-long", "qwen3-4b", 0.9, 32768),
    Engine("vl-fp8", "qwen3-vl-4b", 0.6, cache="fp8"),
    Engine("dense-few", "qwen3-4b", 0.6, 32768, sequences=4),
    Engine("small-fp8-eager", "qwen2.5-0.5b", 0.4, 32768, eager=True, cache="fp8"),
    Engine("vl-few-eager", "qwen3-vl-4b", 0.6, eager=True, sequences=4),
]
#: What proves on a machine without a GPU that a learner runs.
PROOF: list[Learner | Engine] = [
    Learner("tiny", "tiny-weights", 2, 16, zero=None),
    Learner("tiny-dora", "tiny-weights", 2, 16, dora=True, zero=None, batches=2),
    Learner("tiny-full", "tiny-weights", 2, 16, full=True, checkpointing=False, zero=None),
]
BY_NAME = {setting.name: setting for setting in SETTINGS + PROOF}


class Gpu:
    """The right to use the GPU, alone or with others; it lasts as long as the process."""

    def __init__(self, folder, alone):
        self.file = (folder / "gpu.lock").open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        deadline = time.monotonic() + 60
        while alone and used() > 1024 and time.monotonic() < deadline:
            time.sleep(0.5)


def used(what="used"):
    """MiB of the first GPU that are in use, or its `total`; none where there is no GPU."""
    question = ["nvidia-smi", f"--query-gpu=memory.{what}", "--format=csv,noheader,nounits"]
    try:
        return int(subprocess.run(question, capture_output=True, text=True, check=True).stdout.split()[0])
    except FileNotFoundError:
        return 0


def gpus():
    """How many GPUs there are."""
    said = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True).stdout
    return len(said.splitlines())


def save(folder, setting, found):
    """Writes what one setting took."""
    place = folder / "results" / f"{setting.name}.json"
    place.write_text(json.dumps(asdict(setting) | found) + "\n", encoding="utf-8")


def go(folder, words, log, deadline):
    """Runs a part of this program in a process of its own, unless the time is up; returns its exit code."""
    if time.time() > deadline:
        return None
    command = [sys.executable, Path(__file__).absolute(), *words, "--folder", folder]
    with (folder / "logs" / f"{log}.log").open("w") as file:
        return subprocess.run(command, check=False, stdout=file, stderr=subprocess.STDOUT, cwd=folder).returncode


def everything(folder, wish, deadline):
    """Makes the models, then runs all settings in their order."""
    settings = SETTINGS if wish.only != "tiny" else PROOF
    asked = [one for one in settings if wish.only in one.name and wish.kind in one.kind]
    wanted = [one for one in asked if one.kind == "learner" or one.tensor <= gpus()]
    models = sorted({one.model for one in wanted}, key=lambda name: name.endswith("-weights"))
    for model in ["prompts", *models]:
        place = folder / "models" / model
        if not place.exists() and go(folder, ["model", model], f"model-{model}", deadline):
            shutil.rmtree(place, ignore_errors=True)  # half of it would be taken for the whole
    with ThreadPoolExecutor(wish.at_once) as pool:
        list(pool.map(lambda one: go(folder, [one.kind, one.name], one.name, deadline), wanted))
    (folder / DONE).touch()


def gather(folder, seconds, out):
    """Waits for the end, at most so long; writes all results, and the last lines of what has none."""
    deadline = time.monotonic() + seconds
    while not (folder / DONE).exists() and time.monotonic() < deadline:
        time.sleep(2)
    results = sorted((folder / "results").glob("*.json"), key=lambda file: file.stat().st_mtime)
    (out / "sizes.jsonl").write_text("".join(file.read_text() for file in results), encoding="utf-8")
    there = {file.stem for file in results}
    logs = [log for log in sorted((folder / "logs").glob("*.log")) if log.stem not in there]
    said = [f"===== {log.stem}\n{log.read_text('utf-8', 'replace')[-3000:]}\n" for log in logs]
    (out / "failed.txt").write_text("".join(said), encoding="utf-8")
    ended = "all have ended" if (folder / DONE).exists() else "some still run"
    print(f"{len(results)} results, {ended}; without one: {[log.stem for log in logs]}")


def main():
    """Reads the arguments; `model`, `engine` and `learner` are for this program itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("start", "run", "wait", "model", "engine", "learner"))
    parser.add_argument("which", help="FOLDER, or a name")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="settings with this in their name; tiny: those for a CPU")
    parser.add_argument("--kind", default="", choices=("", "engine", "learner"))
    parser.add_argument("--at-once", type=int, default=3, help="processes at a time")
    parser.add_argument("--minutes", type=float, default=18, help="no setting starts after that")
    parser.add_argument("--seconds", type=float, default=500)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")))
    wish = parser.parse_args()
    if wish.what == "start":
        words = ["run", Path(wish.which).absolute(), "--only", wish.only, "--minutes", str(wish.minutes)]
        words += ["--kind", wish.kind, "--at-once", str(wish.at_once)]
        subprocess.Popen([sys.executable, Path(__file__).absolute(), *words], start_new_session=True)
    elif wish.what == "run":
        folder = Path(wish.which)
        for name in ("logs", "results", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        everything(folder, wish, time.time() + 60 * wish.minutes)
    elif wish.what == "wait":
        gather(Path(wish.which).absolute(), wish.seconds, wish.out)
    else:
        one(wish.what, wish.which, wish.folder.absolute())


def one(what, name, folder):
    """Makes a model, or runs a setting."""
    if what == "model":
        import shapes

        shapes.write(name, folder / "models" / name)
    elif what == "engine":
        import engine_size

        engine_size.measure(BY_NAME[name], folder)
    else:
        import learner_size

        learner_size.measure(BY_NAME[name], folder)


if __name__ == "__main__":
    main()
