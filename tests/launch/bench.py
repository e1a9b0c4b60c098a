"""A bench for launchers: a preset of its own, stand-ins for `swift` and `torchrun`, and a look at what is left."""

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from launch.machine import processes
from launch.machine import tcp
from tests.launch import warm

REPO = Path(__file__).parents[2]
SMOKE = REPO / "configs/smoke/server.yaml"
#: Seconds that stand-ins need no more of. The grace is left as it is: what is told to end must end by itself.
SHORT = {f"ROLLOUT_SPLIT_{name}": "1" for name in ("HURRY", "ENDS", "SETTLE")}

#: `swift rollout`: it tries ports as ms-swift does, has one engine in a process of its own, and answers what
#: launchers and learners ask. Every sync changes what the weights answer to a prompt.
SWIFT = """
import http.server, json, os, signal, socket, subprocess, sys, threading, time
home = os.environ["STAND_IN_HOME"]
port = int(sys.argv[sys.argv.index("--port") + 1])
if "STAND_IN_IGNORES_TERM" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while "STAND_IN_KEEPS_PORT" not in os.environ:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
            break
        except OSError:
            port += 1
print("[INFO:swift] args: RolloutArguments(model='m', host='127.0.0.1', port=%d, api_key=None)" % port, flush=True)
sleep = [sys.executable, "-S", "-c", "import time; time.sleep(300)"]
engine = subprocess.Popen(["VLLM::EngineCore", *sleep[1:]], executable=sys.executable)
said = {"argv": sys.argv, "environment": dict(os.environ), "pid": os.getpid(), "engine": engine.pid}
with open(home + "/swift.new", "w") as file:
    json.dump(said, file)
os.rename(home + "/swift.new", home + "/swift.json")
for _ in range(int(os.environ.get("STAND_IN_CHATS", "0"))):
    print("chat" * 16, flush=True)
if "STAND_IN_EXIT" in os.environ:
    sys.exit(int(os.environ["STAND_IN_EXIT"]))
time.sleep(float(os.environ.get("STAND_IN_LOADS", "0")))
weights = 0

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        world = int(os.environ.get("STAND_IN_WORLD", "1"))
        self.reply({"/health/": {"status": "ok"}, "/get_world_size/": {"world_size": world}}.get(self.path))
    def do_POST(self):
        global weights
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        while os.path.exists(home + "/stuck"):
            time.sleep(0.1)
        if self.path == "/infer/" and "STAND_IN_NO_ENGINE" not in os.environ:
            content = [{"token": "a", "logprob": -weights / 8}]
            choice = {"index": 0, "token_ids": [1], "logprobs": {"content": content}}
            return self.reply([{"response": {"choices": [choice]}, "messages": None}])
        if self.path == "/reset_prefix_cache/":
            if "STAND_IN_FAILS" in os.environ:
                print("[ERROR:swift] Method execution failed: collective_rpc\\nTraceback (most recent call last):")
                print("AttributeError: 'Parameter' object has no attribute 'weight_loader'", flush=True)
            elif "STAND_IN_STALE" not in os.environ:
                weights += 1
            return self.reply({"message": "reset"})
        self.reply(None)
    def reply(self, said):
        body = json.dumps(said).encode()
        self.send_response(500 if said is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_request(self, code="-", size="-"):
        print('INFO:     127.0.0.1:50000 - "%s" %s OK' % (self.requestline, int(code)), flush=True)

http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

#: `torchrun`: one worker in a session of its own, as the real one has it, which it ends when it is told to end.
TORCHRUN = """
import json, os, signal, socket, subprocess, sys, time
home = os.environ["STAND_IN_HOME"]
leaves = "STAND_IN_LEAVES" in os.environ
signal.signal(signal.SIGTERM, signal.SIG_IGN if leaves else signal.SIG_DFL)
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
port = sys.argv[sys.argv.index("--vllm_server_port") + 1] if "--vllm_server_port" in sys.argv else None
for _ in range(int(os.environ.get("STAND_IN_SYNCS", "0"))):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    connection.request("POST", "/reset_prefix_cache/", "{}")
    connection.getresponse().read()
    connection.close()
if "STAND_IN_LOSES" in os.environ:
    print("[ERROR:swift] Error in async_generate_rollout callback: Server 0 failed: 500", flush=True)
if "STAND_IN_STICKS" in os.environ:
    open(home + "/stuck", "w").close()
if "STAND_IN_BAR" in os.environ:
    print("\\rTrain:  20%|##        | 1/5", end="", flush=True)
if "STAND_IN_EXIT" in os.environ:
    if not leaves:
        worker.kill()
    sys.exit(int(os.environ["STAND_IN_EXIT"]))
while "STAND_IN_WATCHES" in os.environ:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))):
            worker.kill()
            sys.exit("ConnectionError")
    time.sleep(0.05)
time.sleep(300)
"""


#: `nvidia-smi`: each GPU holds memory, for as many looks as it is told; of the first one's process, if it has one.
NVIDIA_SMI = """
import os, sys
home = os.environ["STAND_IN_HOME"]
if sys.argv[1].startswith("--query-gpu"):
    with open(home + "/looks", "a+") as file:
        file.seek(0)
        looks = len(file.read())
        file.write(".")
    used = 1156 if looks < int(os.environ["STAND_IN_LATE"]) else 3
    print("0, GPU-00, %d, 143771\\n1, GPU-11, %d, 143771" % (used, used))
elif "STAND_IN_APP" in os.environ:
    print("GPU-00, %s, 1100" % os.environ["STAND_IN_APP"])
"""


def _ports():
    """Ports below those that connections get by themselves, so that nothing takes one before it is used.

    Each process of a test run has a share of its own, and none is given out twice before all others were:
    servers may move some ports on, and what they leave lingers.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = 20_000 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = 10_000 + size * number
    spread = list(range(first, first + size - 4, 5))
    begin = random.randrange(len(spread))
    yield from itertools.cycle(spread[begin:] + spread[:begin])


PORTS = _ports()


def free_port():
    """A port that a server may have, and the next one is free, too."""
    return next(port for port in PORTS if tcp.bindable(port) and tcp.bindable(port + 1))


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def linger(port):
    """Leaves a connection in TIME_WAIT on a port, as a server does that ends with clients."""
    with (
        socket.create_server(("127.0.0.1", port)) as server,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        server.accept()[0].close()
        assert client.recv(1) == b""


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


class FaultTable:
    """What faults led to: the launcher's message, its exit code, seconds, and processes that it left."""

    def __init__(self, rows=()):
        self.rows = list(rows)

    def judge(self, fault, process, code, message, left=lambda: ()):
        """Waits for a launcher to end, which it must with this code and message and without leaving anything."""
        begun = time.monotonic()
        said_code, _, err = end(process)
        seconds = time.monotonic() - begun
        lines = [line for line in err.splitlines() if message in line]
        remains = list(left())
        self.rows.append((fault, lines[0] if lines else "", said_code, f"{seconds:.1f}", len(remains)))
        assert (said_code, bool(lines)) == (code, True), err
        assert not remains

    def text(self):
        """The table as Markdown."""
        head = "| fault | message | exit code | seconds | processes left |\n| --- | --- | --- | --- | --- |"
        return "\n".join([head, *(f"| {' | '.join(map(str, row))} |" for row in self.rows)])

    def write(self):
        """Writes the table below build/, and returns the file."""
        file = REPO / "build/launch-faults.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(self.text() + "\n", encoding="utf-8")
        return file.relative_to(REPO)


class Bench:
    """A place to launch in: a preset with free ports, stand-ins on PATH, notes and logs of its own."""

    def __init__(self, home):
        self.home = home
        self.port, self.group_port = free_port(), free_port()
        self.model = home / "model"
        self.model.mkdir()
        self.preset = home / "preset.yaml"
        group = f"  vllm_server_group_port: {self.group_port}\n  vllm_server_timeout"
        text = SMOKE.read_text().replace("[8080]", f"[{self.port}]").replace("  vllm_server_timeout", group)
        self.preset.write_text(text.replace("build/smoke/model", str(self.model)))
        self.state = home / "state"
        self.ready, self.loading = (self.state / f"{kind}-{self.port}.json" for kind in ("server", "loading"))
        self.logs = home / "logs/rollout-split"
        self.environment_with({"ms_swift": "4.5.2", "vllm": "0.23.0"})
        self.install("swift", SWIFT)
        self.install("torchrun", TORCHRUN)
        tools = [home / "bin", Path(sys.executable).parent, "/usr/bin", "/bin"]
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "PATH": ":".join(map(str, tools)),
            "STAND_IN_HOME": str(home),
            "ROLLOUT_SPLIT_STATE": str(self.state),
            **SHORT,
        }
        self.launched = []

    def environment_with(self, distributions, name="."):
        """A Python environment whose metadata say that these are installed; returns its interpreter."""
        root = self.home / name
        (root / "bin").mkdir(parents=True, exist_ok=True)
        python = root / "bin/python"
        if not python.exists():
            python.symlink_to(os.path.realpath(sys.executable))
        base = Path(os.path.realpath(sys.executable)).parent
        (root / "pyvenv.cfg").write_text(f"home = {base}\ninclude-system-site-packages = false\n")
        packages = root / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        for distribution, version in distributions.items():
            info = packages / f"{distribution}-{version}.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        return python

    def install(self, name, text):
        file = self.home / "bin" / name
        file.write_text(f"#!{self.home}/bin/python -S\n{text}")
        file.chmod(0o755)

    def edit(self, old, new):
        text = self.preset.read_text()
        assert text.count(old) == 1
        self.preset.write_text(text.replace(old, new))

    def words(self, script, *words):
        return ["bash", str(REPO / "scripts" / script), f"config={self.preset}", *words]

    def start(self, *command, terminal=None, output=None, **environment):
        """Starts a command in a session of its own, without a terminal or on one; `output` takes all it says."""
        if terminal is not None:
            command = ("setsid", "--ctty", *command)
        # Under nohup a test run hands an ignored SIGHUP on, as would be right for a launcher under nohup.
        command = ("env", "--default-signal=HUP", *command)
        return self._started(
            command,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=output or subprocess.PIPE,
            stderr=output or subprocess.PIPE,
            env=self.environment | environment,
            start_new_session=terminal is None,
        )

    def _started(self, command, **options):
        self.launched.append(subprocess.Popen(command, text=True, cwd=self.home, **options))
        return self.launched[-1]

    def launch(self, side, *words, output=None, **environment):
        """Starts a launcher as `start` does, but from a process that has imported it."""
        warm.prepare(SMOKE)
        command = [side, *warm.options(words), "--", str(self.preset)]
        return self._started(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=output or subprocess.PIPE,
            start_new_session=True,
            preexec_fn=partial(warm.run, command, self.environment | environment),
        )

    def server(self, *words, **environment):
        return self.launch("server", "gpus=0", *words, **environment)

    def learner(self, *words, **environment):
        return self.launch("learner", "gpus=1", *words, **environment)

    def running_server(self, **environment):
        """A server that was started by hand: it is healthy, and no launcher vouches for it."""
        self.start("swift", "rollout", "--port", str(self.port), **environment)
        until(self.healthy)

    def healthy(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/health/")
            return connection.getresponse().status == 200
        return False

    def ready_server(self, *words, **environment):
        """A server that its launcher says is ready; its output must not fill the launcher's pipe."""
        process = self.server("show=quiet", *words, **environment)
        until(self.is_announced)
        return process

    def is_announced(self):
        """Whether a server's launcher has said that it is ready, and has left the note that says so to others."""
        return self.ready.exists() and not self.loading.exists()

    def recorded(self, program):
        """What a stand-in recorded about itself, once it runs."""
        file = self.home / f"{program}.json"
        until(file.exists)
        return json.loads(file.read_text())

    def left(self):
        """Processes that live and work in this place, as everything does that was started in it."""
        found = []
        for pid in processes.pids():
            with contextlib.suppress(OSError):
                where = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - asked of every process, again and again
                if f"{where}/".startswith(f"{self.home}/"):
                    found.append(pid)
        return found

    def close(self):
        """Stops what runs; nothing may be left of it."""
        for process in self.launched:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.launched:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
        with contextlib.suppress(AssertionError):
            until(lambda: not self.left(), seconds=5)
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
