"""A bench for launchers: a preset of its own, stand-ins for `swift` and `torchrun`, and a look at what is left."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).parents[2]
SMOKE = REPO / "configs/smoke/server.yaml"

#: `swift rollout`: one engine in a process of its own, and the two endpoints that launchers look at.
SWIFT = """
import http.server, json, os, signal, subprocess, sys, time
home = os.environ["STAND_IN_HOME"]
if "STAND_IN_IGNORES_TERM" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
engine = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
said = {"argv": sys.argv, "environment": dict(os.environ), "pid": os.getpid(), "engine": engine.pid}
with open(home + "/swift.new", "w") as file:
    json.dump(said, file)
os.rename(home + "/swift.new", home + "/swift.json")
if "STAND_IN_EXIT" in os.environ:
    sys.exit(int(os.environ["STAND_IN_EXIT"]))
time.sleep(float(os.environ.get("STAND_IN_LOADS", "0")))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        world = int(os.environ.get("STAND_IN_WORLD", "1"))
        replies = {"/health/": {"status": "ok"}, "/get_world_size/": {"world_size": world}}
        self.send_response(200 if self.path in replies else 404)
        self.end_headers()
        self.wfile.write(json.dumps(replies.get(self.path)).encode())
    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""

#: `torchrun`: one worker in a session of its own, as the real one has it, which it ends when it is told to end.
TORCHRUN = """
import json, os, signal, subprocess, sys, time
home = os.environ["STAND_IN_HOME"]
worker = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"], start_new_session=True)

def stop(*_):
    worker.terminate()
    worker.wait()
    sys.exit(1)

signal.signal(signal.SIGTERM, signal.SIG_IGN if "STAND_IN_IGNORES_TERM" in os.environ else stop)
said = {"argv": sys.argv, "environment": dict(os.environ), "pid": os.getpid(), "worker": worker.pid}
with open(home + "/torchrun.new", "w") as file:
    json.dump(said, file)
os.rename(home + "/torchrun.new", home + "/torchrun.json")
if "STAND_IN_EXIT" in os.environ:
    worker.kill()
    sys.exit(int(os.environ["STAND_IN_EXIT"]))
time.sleep(300)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


class Bench:
    """A place to launch in: a preset with a free port, stand-ins on PATH, claims of its own."""

    def __init__(self, home):
        self.home = home
        self.port = free_port()
        self.preset = home / "preset.yaml"
        self.preset.write_text(SMOKE.read_text().replace("[8080]", f"[{self.port}]"))
        self.claim = home / f"run/rollout-split-{os.getuid()}/server-{self.port}.json"
        (home / "run").mkdir()
        (home / "bin").mkdir()
        self.install("swift", SWIFT)
        self.install("torchrun", TORCHRUN)
        tools = [home / "bin", Path(sys.executable).parent, "/usr/bin", "/bin"]
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "PATH": ":".join(map(str, tools)),
            "STAND_IN_HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        self.launched = []

    def install(self, name, text):
        file = self.home / "bin" / name
        file.write_text(f"#!{sys.executable} -S\n{text}")
        file.chmod(0o755)

    def edit(self, old, new):
        text = self.preset.read_text()
        assert text.count(old) == 1
        self.preset.write_text(text.replace(old, new))

    def words(self, script, *words):
        return ["bash", str(REPO / "scripts" / script), f"config={self.preset}", *words]

    def start(self, *command, terminal=None, **environment):
        """Starts a command in a session of its own, without a terminal or on one."""
        if terminal is not None:
            command = ("setsid", "--ctty", *command)
        # Under nohup a test run hands an ignored SIGHUP on, as would be right for a launcher under nohup.
        command = ("env", "--default-signal=HUP", *command)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment | environment,
            start_new_session=terminal is None,
        )
        self.launched.append(process)
        return process

    def server(self, *words, **environment):
        return self.start(*self.words("grpo_rollout_server.sh", "gpus=0", *words), **environment)

    def learner(self, *words, **environment):
        return self.start(*self.words("grpo_train_server_mode.sh", "gpus=1", *words), **environment)

    def running_server(self, **environment):
        """A server that was started by hand: it is healthy, and there is no claim."""
        self.start("swift", "rollout", "--port", str(self.port), **environment)
        until(self.healthy)

    def healthy(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/health/")
            return connection.getresponse().status == 200
        return False

    def said(self, program):
        """What a stand-in recorded about itself, once it runs."""
        file = self.home / f"{program}.json"
        until(file.exists)
        return json.loads(file.read_text())

    def left(self):
        """Processes that live and that something in this place started."""
        mine = f"STAND_IN_HOME={self.home}\0".encode()
        found = []
        for file in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mine in file.read_bytes():
                    found.append(int(file.parent.name))
        return found

    def close(self):
        """Stops what runs; nothing may be left of it."""
        for process in self.launched:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.launched:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        left = self.left()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.launched:
            process.communicate()
        assert not left, "processes outlived their launcher"


def end(process, seconds=30):
    """Waits for a launcher: its exit code, its output, its messages."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err
