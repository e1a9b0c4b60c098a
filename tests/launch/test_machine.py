"""Looks at the machine: GPUs, interpreters, ports, what answers on them, and who left notes."""

import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading

import pytest

from launch import state
from launch.argv.facts import ServerFacts
from launch.machine import processes
from launch.machine import software
from launch.machine import tcp
from launch.machine.rollout import Server
from schema.split import nvidia
from schema.split.nvidia import Gpu
from tests.launch.bench import free_port
from tests.launch.bench import until

#: What uv writes into an environment that may be moved.
RELOCATABLE = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n"


def nvidia_smi(folder, monkeypatch, script):
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_nvidia_smi_is_read(tmp_path, monkeypatch):
    nvidia_smi(
        tmp_path,
        monkeypatch,
        """case $1 in
        --query-gpu=*) echo '0, GPU-8f, 28672, 143771'; echo '1, GPU-90, [N/A], 143771' ;;
        *) echo 'GPU-8f, 77, 28000'; echo 'GPU-8f, 78, [N/A]'; echo 'GPU-8f, [N/A], 9' ;;
        esac""",
    )
    assert nvidia.gpus() == (
        Gpu("0", "GPU-8f", 28672, 143771, ((77, 28000), (78, None))),
        Gpu("1", "GPU-90", 0, 143771),
    )


@pytest.mark.parametrize("script", ["exit 9", "echo 'NVIDIA-SMI has failed'", "printf '\\377\\n'"])
def test_nvidia_smi_that_fails(tmp_path, monkeypatch, script):
    nvidia_smi(tmp_path, monkeypatch, script)
    assert not nvidia.gpus()


@pytest.mark.parametrize(
    ("head", "python"),
    [
        ("#!{python}\n", "{python}"),
        ("#!{python} -S\n", "{python}"),
        ("#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n", "{python}"),
        ("#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n", "{python}"),
        (RELOCATABLE, "{beside}"),
        ("#!/bin/sh\nexec swift\n", None),
        ("#!/usr/bin/env python3\n", "/python3"),
        ("#!/usr/bin/env bash\n", None),
        ("#!/no/such/python\n", "{beside}"),
        ("no script\n", None),
        ("", None),
    ],
)
def test_interpreter_of_a_script(tmp_path, head, python):
    here, beside, script = (tmp_path / name for name in ("a python", "python", "swift"))
    for file in (here, beside):
        file.symlink_to(sys.executable)
    paths = {"{python}": str(here) if "exec" in head else sys.executable, "{beside}": str(beside)}
    script.write_text(head.replace("{python}", paths["{python}"]))
    script.chmod(0o755)
    found = software.interpreter(str(script))
    assert found is None if python is None else found.endswith(paths.get(python, python))


# Looks at the machine


@contextlib.contextmanager
def answering(status, body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path in ("/health/", "/get_world_size/")
            self.send_response(status if known else 307)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_with_a_listener_is_not_bindable(address):
    with socket.create_server((address, 0)) as listener:
        port = listener.getsockname()[1]
        assert not tcp.bindable(port)
        assert not tcp.bindable(port, reuse=True)
        assert not tcp.lingers(port)
        assert tcp.owners(port) == [os.getpid()]
        assert port in tcp.listens_on([os.getpid()])
    assert tcp.bindable(free_port())
    assert tcp.owners(port) == []


def test_a_port_whose_server_has_just_closed_a_connection_lingers():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            listener.accept()[0].close()
            assert client.recv(1) == b""
    assert not tcp.bindable(port)
    assert tcp.bindable(port, reuse=True)
    assert tcp.lingers(port)


def test_looking_at_a_server_does_not_make_its_port_linger():
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        port = server.server_address[1]
        assert Server("127.0.0.1", port).healthy()
        server.shutdown()
        thread.join()
    until(lambda: tcp.bindable(port))  # in a second at most; a port in TIME_WAIT takes a minute


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (404, False), (500, False), (503, False)])
def test_health(status, healthy):
    with answering(status, b"{}") as port:
        assert Server("127.0.0.1", port).healthy() is healthy


def test_health_of_what_is_no_server():
    assert not Server("127.0.0.1", free_port()).healthy()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not Server("127.0.0.1", listener.getsockname()[1]).healthy(timeout=0.1)


def test_health_goes_past_a_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with answering(200, b"") as port:
        look = "from launch.machine.rollout import Server"
        check = f"{look}; raise SystemExit(not Server('127.0.0.1', {port}).healthy())"
        assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(
    ("status", "body", "size"),
    [
        (200, b'{"world_size": 6}', 6),
        (200, b'{"world_size": "6"}', None),
        (200, b"[6]", None),
        (200, b"<html>", None),
        (200, b"\xff", None),
        (500, b'{"world_size": 6}', None),
    ],
)
def test_world_size(status, body, size):
    with answering(status, body) as port:
        assert Server("127.0.0.1", port).world_size() == size


def test_addresses():
    assert Server("127.0.0.1", 8080).url("/health/") == "http://127.0.0.1:8080/health/"
    assert Server("::1", 8080).url("/health/") == "http://[::1]:8080/health/"
    assert "secret" not in repr(Server("::1", 8080, "secret"))


def test_only_notes_of_living_processes_count(monkeypatch, tmp_path):
    monkeypatch.setenv("ROLLOUT_SPLIT_STATE", str(tmp_path))
    me = processes.read(os.getpid())

    def note(port, pid, started, digest="d"):
        server = ServerFacts(
            host="::1", port=port, group_port=51216, tensor_parallel_size=1, data_parallel_size=1,
            vllm_max_model_len=None, model="m", settings={}, digest=digest,
        )  # fmt: skip
        log = "logs/\udcff"  # a path need not be UTF-8
        return state.Job(kind="server", pid=pid, started=started, launcher=0, gpus=("0",), server=server, log=log)

    with subprocess.Popen(["true"]) as ended:
        pass
    notes = [note(1, ended.pid, me.started), note(2, me.pid, me.started), note(3, me.pid, me.started + 1)]
    for each in notes:
        each.write()
    for port, text in enumerate(("", "[]", "{}", '{"gpus": 3}', '{"launcher": "x"'), start=4):
        (tmp_path / f"server-{port}.json").write_text(text)
    assert list(state.jobs()) == [notes[1]]
    assert state.job("server", 2) == notes[1]
    assert state.job("learner", 2) is None
    with pytest.raises(state.ClaimedError, match="a rollout server of launcher"):
        note(2, me.pid, me.started, "x").claim()
    notes[0].model_copy(update={"pid": me.pid}).claim()  # of a process that has ended, so it counts for nothing
    assert state.job("server", 1).server.digest == "d"
    state.job("server", 1).remove()
    assert not (tmp_path / "server-1.json").exists()
