"""A node to launch on: a tiny model, free ports, real `swift` and `torchrun`, and a look at what is left."""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from launch.machine import tcp

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
UPSTREAM = ROOT / ".venv-upstream-cpu/bin"
#: ms-swift 4.5.2, for what 4.6.0 does otherwise.
OLDER = ROOT / ".venv-upstream/lib"
SERVER, LEARNER = "grpo_rollout_server.sh", "grpo_train_server_mode.sh"
#: What the files of the node are made from.
FILES = {
    "plugin.py": HERE / "plugin.py",
    "rewards.py": HERE / "rewards.py",
    "planted.py": HERE / "planted.py",
    "truth.py": ROOT / "tests/gpu/plugin.py",  # times the parts of a step
    "prompts.jsonl": ROOT / "configs/smoke/prompts.jsonl",
}
#: The signals that end a launcher, and its exit codes.
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
#: The words by which processes of a server are known, and how the table of faults calls them.
SWIFT, APP, WORKER, ENGINE = "bin/swift rollout", "swift/cli/rollout.py", "spawn_main", "VLLM::EngineCore"
NAMES = {SWIFT: "swift", WORKER: "ms-swift's worker", ENGINE: "VLLM::EngineCore"}
#: Gives the engine a process of its own, as on GPUs; else ms-swift's worker holds it, ready in half the time.
APART = {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
#: Seconds that a step may take on a busy machine; a quarter of it on an idle one of two cores.
PATIENCE = 240
PROMPT = {"messages": [{"role": "user", "content": "Count to ten."}]}
JSON = {"Content-Type": "application/json"}
GREEDY = {"max_tokens": 4, "temperature": 0, "logprobs": True}


def make_model(folder):
    """The checkpoint that all nodes share."""
    subprocess.run([UPSTREAM / "python", HERE / "model.py", folder], check=True, capture_output=True)


def free_port():
    """A port below those that connections get by themselves, so that nothing takes it before it is used."""
    while not tcp.bindable(port := random.randrange(10000, 30000)):
        pass
    return port


def until(condition, seconds=PATIENCE):
    """Waits for something to be true; returns it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return value


class Ended(NamedTuple):
    """How a launcher ended: its exit code, all that it and its child said, and how long it took."""

    code: int
    said: str
    seconds: float


class Launcher:
    """A launcher that runs."""

    def __init__(self, process, log):
        self.process, self.log = process, log

    @property
    def said(self):
        return self.log.read_text(errors="replace")

    def until(self, text):
        """Waits until it has said something; fails at once if it ends before."""
        until(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, f"ended with {self.process.poll()}: {self.said[-3000:]}"

    def end(self, number=None):
        """Signals it, if a signal is given, and waits for its end."""
        begun = time.monotonic()
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        return Ended(code, self.said, time.monotonic() - begun)


def ends(*launchers):
    """How several launchers ended, each timed from now."""
    with ThreadPoolExecutor(len(launchers)) as pool:
        return list(pool.map(Launcher.end, launchers))


class Node:
    """A folder in which launchers work, and nothing else does."""

    serving: Launcher
    cache: dict

    def __init__(self, home, model):
        self.home = home
        self.port, self.group_port = free_port(), free_port()
        (home / "model").symlink_to(model)
        for name, file in FILES.items():
            shutil.copy(file, home / name)
        self._register_plugin()
        self.preset = self.write("preset.yaml")
        self.endless = self.write("endless.yaml", max_steps=100_000)
        self.launchers = []
        self.kept = set()
        self.environment = {
            "PATH": f"{UPSTREAM}:{ROOT / '.venv/bin'}:/usr/bin:/bin",
            "HOME": str(home),
            "PYTHONPATH": f"{home}:{home / 'plugins'}",
            "VLLM_PLUGINS": "rollout_split",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_LOG_STATS_INTERVAL": "0.2",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "HF_HUB_OFFLINE": "1",
            "MODELSCOPE_OFFLINE": "1",
            "ROLLOUT_SPLIT_STATE": str(home / "state"),
        }

    def _register_plugin(self):
        """vLLM finds general plugins as entry points of installed distributions."""
        folder = self.home / "plugins/rollout_split-0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: rollout_split\nVersion: 0\n")
        (folder / "entry_points.txt").write_text("[vllm.general_plugins]\nrollout_split = plugin:install\n")

    def write(self, name, **changes):
        """Writes a preset with this node's ports and, by name, other values."""
        text = (HERE / "server.yaml").read_text()
        for key, value in {
            "vllm_server_port": [self.port],
            "vllm_server_group_port": [self.group_port],
            **changes,
        }.items():
            before, found, after = text.partition(f" {key}: ")
            assert found, key
            text = before + found + json.dumps(value) + after[after.index("\n") :]
        preset = self.home / name
        preset.write_text(text)
        return preset

    def launch(self, script, *words, preset=None, **environment):
        """Starts a launcher."""
        return self.run(
            ["bash", ROOT / "scripts" / script, f"config={preset or self.preset}", *words], **environment
        )

    def run(self, words, **environment):
        """Starts a program as a job of its own, as a shell does; SIGHUP counts, also under nohup."""
        log = self.home / f"{len(self.launchers)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                ["env", "--default-signal=HUP", *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=self.environment | environment,
                process_group=0,
            )
        self.launchers.append(Launcher(process, log))
        return self.launchers[-1]

    def server(self, *words, **options):
        return self.launch(SERVER, "gpus=0", *words, **options)

    def learner(self, *words, gpus="1", **options):
        return self.launch(LEARNER, f"gpus={gpus}", *words, **options)

    def older(self):
        """What makes a learner run ms-swift 4.5.2 on the packages of 4.6.0."""
        (swift,) = OLDER.glob("python*/site-packages/swift")
        folder = self.home / "older"
        if not folder.exists():
            folder.mkdir()
            (folder / "swift").symlink_to(swift)
        return {"PYTHONPATH": f"{folder}:{self.environment['PYTHONPATH']}"}

    def ready(self, server):
        """Waits until a server answers."""
        until(lambda: self.ask("/health/") == (200, {"status": "ok"}) or server.process.poll() is not None)
        assert server.process.poll() is None, server.said[-3000:]
        return server

    def ask(self, path, body=None):
        """Status and body of what the server answers, or None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST" if body else "GET", path, body and json.dumps(body), JSON if body else {})
            reply = connection.getresponse()
            text = reply.read()
            return reply.status, json.loads(text) if reply.status == 200 else text
        return None

    def greedy(self):
        """The log-probabilities of a greedy completion."""
        status, replies = self.ask("/infer/", {"infer_requests": [PROMPT], "request_config": GREEDY})
        assert status == 200
        choice = replies[0]["response"]["choices"][0]
        return [token["logprob"] for token in choice["logprobs"]["content"]]

    def listens(self, port=None):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port or self.port)) == 0

    def processes(self):
        """What was started here and lives: process ids, each with its command.

        They are known by their working directory: vLLM overwrites the environment of its engines.
        """
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (folder / "cwd").readlink().is_relative_to(self.home):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def keep(self):
        """What runs now may go on running."""
        self.kept = set(self.processes())

    def left(self):
        """What runs and should not."""
        return {pid: said for pid, said in self.processes().items() if pid not in self.kept}

    def process(self, words):
        """Waits for the first process whose command contains some words."""
        return until(lambda: min((pid for pid, said in self.processes().items() if words in said), default=None))

    def kill(self, words, number, launcher):
        """Signals a process that a launcher started, and waits for the launcher's end."""
        self.signal(words, number)
        return launcher.end()

    def signal(self, words, number):
        """Signals the first process whose command contains some words."""
        os.kill(self.process(words), number)

    def free(self):
        """Whether nothing is left, and nothing holds the port."""
        return not self.left() and not self.listens()

    def gone(self):
        """Waits until nothing is left."""
        until(lambda: not self.left())

    def close(self):
        """Ends what still runs."""
        for launcher in self.launchers:
            if launcher.process.poll() is None:
                launcher.process.terminate()
        for launcher in self.launchers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                launcher.process.wait(timeout=60)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
