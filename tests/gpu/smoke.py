"""A real rollout server and a real learner on two GPUs, through the launchers only, and what breaks them.

    python tests/gpu/smoke.py [--rollout-gpus 0] [--train-gpus 1] [--only SCENE] [--python PATH]

Scenes: `tiny` and `4b` (a server, a learner of three steps with DoRA and full weight sync, and how the server
ends), `faults` (a shared GPU, taken ports, killed servers), `engines` (DP = 2 alone, on both GPUs). The tables go
to build/smoke/report.md. On one GPU for both sides NCCL moves no weights; `--share` moves them over TCP.
"""

import argparse
import json
import os
import random
import signal
import socket
import sys
import time
import urllib.request
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import figures
import run
from preset import ROOT
from preset import Work
from preset import write
from run import Ended
from run import Gpus
from run import Kin
from run import Launcher

FOLDER = ROOT / "build/smoke"
READY = "a learner may start"


@dataclass
class Smoke:
    """A run: its GPUs, what it makes, and the rows of its tables."""

    rollout: str
    train: str
    python: str
    share: bool

    def __post_init__(self) -> None:
        self.words = [f"python={self.python}", f"logs={FOLDER / 'logs'}"]
        if self.share:
            paths = [str(Path(__file__).with_name("one_gpu")), os.environ.get("PYTHONPATH", "")]
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self.gpus, self.kin = Gpus(set(self.every)), Kin()
        self.rows, self.faults, self.wrong = [], [], []
        # Below the ports that programs get by themselves, and not those of another run on this node.
        self.count, self.port = 0, random.randrange(10000, 20000)
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.prompts = run.make("prompts", "64", FOLDER / "prompts", self.python) / "prompts.jsonl"

    @property
    def every(self) -> list[str]:
        """The GPUs of both sides, each once."""
        return list(dict.fromkeys(f"{self.rollout},{self.train}".split(",")))

    def work(self, size: str, **changes: object) -> Work:
        """What the scenes of a model do."""
        model = run.make("model", size, FOLDER / "models" / size, self.python)
        self.port += 1  # a port that was served on is not free for a minute
        short = {"completion": 64, "length": 2048, "utilization": 0.3} if size == "tiny" else {}
        return Work("server", model, self.prompts, port=self.port, **short | changes)

    def preset(self, work: Work) -> Path:
        """Writes a preset under a name of its own."""
        self.count += 1
        return write(work, FOLDER, f"{self.count:02}-{work.model.name}-{work.mode}")

    def server(self, preset: Path, gpus: str | None = None, *words: str) -> Launcher:
        """Starts a server."""
        log = FOLDER / f"{preset.stem}-server.log"
        return Launcher("server", preset, gpus or self.rollout, *self.words, *words, log=log)

    def learner(self, preset: Path, gpus: str | None = None, *words: str) -> Launcher:
        """Starts a learner."""
        self.count += 1
        log = FOLDER / f"{preset.stem}-learner-{self.count}.log"
        shared = ["allow=shared-gpu,gpu-busy"] if self.share else []
        return Launcher("learner", preset, gpus or self.train, *self.words, *shared, *words, log=log)

    def colocate(self, preset: Path) -> Launcher:
        """Starts a learner of colocate mode, on the GPUs of both sides."""
        words = [",".join(self.every), f"python={self.python}"]
        return Launcher("colocate", preset, *words, log=FOLDER / f"{preset.stem}.log")

    def saw(self, fault: str, ended: Ended, code: int, message: str) -> None:
        """A row about a fault; it must have led to this exit code and message, and leave nothing behind."""
        used, left = self.gpus.free(), self.kin.left()
        line = next((line for line in ended.said.splitlines() if message in line), "")
        line = line.replace(str(ROOT), "...")
        self.faults.append([fault, line, ended.code, f"{ended.seconds:.1f}", len(left), max(used.values())])
        print(figures.table(["fault", "message", "exit", "seconds", "left", "MiB"], self.faults[-1:]), flush=True)
        self.expect(line, f"{fault}: {message!r} was not said:\n{ended.said[-4000:]}")
        self.expect(ended.code == code, f"{fault}: exit code {ended.code}, not {code}")
        self.expect(not left, f"{fault}: {left}")

    def expect(self, fine: object, otherwise: str) -> None:
        """Keeps what is not as it should be; the rest is tried all the same."""
        if not fine:
            print(otherwise, flush=True)
            self.wrong.append(otherwise)


def loop(smoke: Smoke, size: str) -> None:
    """A server, a learner beside it, and the server's end."""
    preset = smoke.preset(smoke.work(size))
    smoke.gpus.peak.clear()
    server = smoke.server(preset)
    ready = server.until(READY, run.LOADS)
    loaded = dict(smoke.gpus.peak)
    learned = smoke.learner(preset).wait(run.LEARNS)
    assert learned.code == 0, learned.said[-6000:]
    assert "weights have changed" in learned.said, learned.said[-6000:]
    steps = figures.steps(learned.said)
    seconds = " / ".join(f"{step['step']:.1f}" for step in steps)
    parts = ", ".join(f"{name} {figures.typical(steps, name):.1f}" for name in ("generate", "sync", "forward"))
    smoke.rows += [
        [size, "server ready", f"{ready:.0f} s"],
        [size, "MiB of the server's GPU", max(loaded.values())],
        [size, "KV cache of an engine", f"{figures.kv_tokens(server.said())} tokens"],
        [size, "sequences of full length at once", figures.concurrency(server.said())],
        [size, "learner, start to end", f"{learned.seconds:.0f} s"],
        [size, "seconds per step", seconds],
        [size, "of which, at the median", parts],
        [size, "peak that torch held on the learner's GPU", f"{figures.learner_memory(learned.said)} GiB"],
    ]
    smoke.saw(f"{size}: SIGTERM to the server's launcher", server.end(), 143, "ending its processes")


def faults(smoke: Smoke) -> None:
    """Each fault on the tiny model; one server lives through those that it should survive."""
    work = smoke.work("tiny", steps=1000)
    preset = smoke.preset(work)
    server = smoke.server(preset)
    server.until(READY, run.LOADS)
    shared = Launcher("learner", preset, smoke.rollout, *smoke.words, log=FOLDER / "shared.log").wait(120)
    _survived(smoke, "a learner on the server's GPU", shared, "shared-gpu")
    second = smoke.server(smoke.preset(work), smoke.train).wait(120)
    _survived(smoke, "a second server on the same port", second, "port-taken")
    stale = smoke.learner(smoke.preset(replace(work, utilization=0.31))).wait(120)
    _survived(smoke, "a learner of another preset", stale, "another-server")
    _kills(smoke, work, preset, server)
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", work.port + 1))
        holder.listen()
        taken = smoke.server(smoke.preset(replace(work, port=work.port + 1))).wait(120)
    smoke.saw("port held by another program", taken, 1, "port-taken")


def _survived(smoke: Smoke, fault: str, ended: Ended, message: str) -> None:
    line = next((line for line in ended.said.splitlines() if message in line), "").replace(str(ROOT), "...")
    smoke.faults.append([fault, line, ended.code, f"{ended.seconds:.1f}", "the server, as it should", ""])
    smoke.expect(line, f"{fault}: {message!r} was not said:\n{ended.said[-4000:]}")
    smoke.expect(ended.code == 1, f"{fault}: exit code {ended.code}, not 1")


def _kills(smoke: Smoke, work: Work, preset: Path, server: Launcher) -> None:
    learner = _training(smoke, preset)
    killed = time.monotonic()
    os.kill(smoke.kin.named("VLLM::EngineCore"), signal.SIGKILL)
    ended, lost = server.wait(60, killed), learner.wait(60, killed)
    _lost(smoke, "EngineCore killed while the learner trains", lost)
    smoke.saw("the same, at the server's launcher", ended, 83, "holds an engine, has died")
    for name, number, code in (("KILL", signal.SIGKILL, -9), ("INT", signal.SIGINT, 130)):
        preset = smoke.preset(replace(work, port=work.port + 1 + number))
        server = smoke.server(preset)
        server.until(READY, run.LOADS)
        learner = _training(smoke, preset)
        killed = time.monotonic()
        ended, lost = server.end(number), learner.wait(60, killed)
        words = "ending its processes" if code > 0 else READY
        _lost(smoke, f"SIG{name} to the server's launcher while the learner trains", lost)
        smoke.saw("the same, at the server's launcher", ended, code, words)


def _training(smoke: Smoke, preset: Path) -> Launcher:
    learner = smoke.learner(preset)
    learner.until("smoke-time step", run.LEARNS)
    return learner


def _lost(smoke: Smoke, fault: str, lost: Ended) -> None:
    smoke.saw(fault, lost, 84, "the rollout server is lost")
    smoke.expect(lost.seconds < 10, f"{fault}: ended only after {lost.seconds:.0f} s")


def engines(smoke: Smoke) -> None:
    """Two engines, three prompts."""
    preset = smoke.preset(smoke.work("tiny", engines=2))
    server = smoke.server(preset, f"{smoke.rollout},{smoke.train}")
    ready = server.until(READY, run.LOADS)
    ask = [{"messages": [{"role": "user", "content": text}]} for text in ("a", "b", "c")]
    body = json.dumps({"infer_requests": ask, "request_config": {"max_tokens": 8}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{smoke.port}/infer/", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310 - it is our own server
        answers = json.load(reply)
    assert len(answers) == len(ask), answers
    smoke.rows.append(["tiny", "DP = 2: ready, and three prompts answered", f"{ready:.0f} s"])
    smoke.saw("DP = 2: SIGTERM to the launcher", server.end(), 143, "ending its processes")


def report(smoke: Smoke) -> str:
    """Both tables."""
    measured = figures.table(["model", "what", "seen"], smoke.rows)
    broken = ["fault", "message", "exit code", "seconds", "processes left", "peak MiB on a GPU after"]
    return f"{measured}\n\n{figures.table(broken, smoke.faults)}\n"


SCENES = {
    "tiny": lambda smoke: loop(smoke, "tiny"),
    "4b": lambda smoke: loop(smoke, "4b"),
    "faults": faults,
    "engines": engines,
}


def main() -> None:
    """Reads the arguments and plays the scenes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollout-gpus", default="0")
    parser.add_argument("--train-gpus", default="1")
    parser.add_argument("--only", choices=SCENES, action="append")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has ms-swift and vLLM")
    parser.add_argument("--share", action="store_true", help="both sides on one GPU, weights over TCP")
    wish = parser.parse_args()
    smoke = Smoke(wish.rollout_gpus, wish.train_gpus, wish.python, wish.share)
    try:
        for name in wish.only or SCENES:
            SCENES[name](smoke)
    finally:
        run.end_all()
        (FOLDER / "report.md").write_text(report(smoke), encoding="utf-8")
        print(report(smoke))
    sys.exit(1 if smoke.wrong else 0)


if __name__ == "__main__":
    main()
