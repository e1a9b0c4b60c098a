"""What can go wrong with a server before a learner comes, on real ms-swift and vLLM."""

import resource
import signal
import socket

import pytest

from tests.upstream.cpu.node import APART
from tests.upstream.cpu.node import APP
from tests.upstream.cpu.node import ENGINE
from tests.upstream.cpu.node import NAMES
from tests.upstream.cpu.node import SIGNALS
from tests.upstream.cpu.node import SWIFT
from tests.upstream.cpu.node import UPSTREAM
from tests.upstream.cpu.node import WORKER
from tests.upstream.cpu.node import until


def test_port_is_taken(bare, faults):
    with socket.create_server(("127.0.0.1", bare.port)):
        ended = bare.server().end()
        faults.judge("port taken before", bare, ended, 1, f"port {bare.port} is held by")


def test_port_lingers(bare, faults):
    """A connection that the server's side closed first stays on the port for a minute."""
    with socket.create_server(("127.0.0.1", bare.port)) as server:
        client = socket.create_connection(("127.0.0.1", bare.port))
        server.accept()[0].close()
        client.close()
    faults.judge("port in TIME_WAIT", bare, bare.server("release_wait=0").end(), 1, "TIME_WAIT")


def test_port_becomes_the_end_of_a_connection(bare, faults):
    """Nobody listens there, and still ms-swift moves on, as with TIME_WAIT."""
    server = bare.server()
    bare.process(APP)
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as client:
        client.bind(("127.0.0.1", bare.port))
        client.connect(other.getsockname())
        ended = server.end()
    faults.judge("port taken when ms-swift looks at it", bare, ended, 81, f"moved to port {bare.port + 1}")
    assert not bare.listens(bare.port + 1)


def test_port_is_stolen_while_it_loads(bare, faults):
    server = bare.server()
    server.until("args: RolloutArguments(")
    with socket.create_server(("127.0.0.1", bare.port)):
        ended = server.end()
    faults.judge("port stolen while the server loads", bare, ended, 81, f"took port {bare.port}")


@pytest.mark.parametrize("number", SIGNALS)
def test_launcher_is_told_to_end_while_it_loads(bare, faults, number):
    server = bare.server()
    bare.process(WORKER)
    ended = server.end(number)
    said = f"{number.name} to the server's launcher as it loads"
    faults.judge(said, bare, ended, SIGNALS[number], "ending its processes")
    assert bare.free()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_launcher_is_told_to_end_when_it_is_ready(bare, faults, number):
    server = bare.ready(bare.server())
    ended = server.end(number)
    said = f"{number.name} to the server's launcher when it is ready"
    faults.judge(said, bare, ended, SIGNALS[number], "ending its processes")
    assert bare.free()


@pytest.mark.parametrize(
    ("words", "number", "code"),
    [(SWIFT, signal.SIGTERM, 143), (SWIFT, signal.SIGKILL, 137), (WORKER, signal.SIGKILL, 3)],
)
def test_server_is_killed_while_it_loads(bare, faults, words, number, code):
    server = bare.server()
    bare.process(WORKER)
    ended = bare.kill(words, number, server)
    faults.judge(f"{number.name} to {NAMES[words]} as it loads", bare, ended, code, "before it was ready")
    assert bare.free()


def test_engine_is_killed_while_it_loads(bare, faults):
    server = bare.server(**APART)
    ended = bare.kill(ENGINE, signal.SIGKILL, server)
    faults.judge("SIGKILL to VLLM::EngineCore as it loads", bare, ended, 3, "before it was ready")
    assert bare.free()


def test_launcher_is_killed(bare, faults):
    server = bare.server()
    bare.process(WORKER)
    ended = server.end(signal.SIGKILL)
    until(bare.free)
    ended = ended._replace(said=server.said)
    faults.judge("SIGKILL to the server's launcher as it loads", bare, ended, -9, "the launcher was killed")


def test_healthy_without_an_engine(bare, faults):
    """`swift rollout` started by hand, for no engine at all, answers what ms-swift's learner looks at."""
    about = ["--model", "model", "--model_type", "qwen3", "--template", "qwen3", "--vllm_data_parallel_size", "0"]
    where = ["--host", "127.0.0.1", "--port", str(bare.port)]
    stranger = bare.ready(bare.run([UPSTREAM / "swift", "rollout", *about, *where]))
    bare.keep()
    ended = bare.learner().end()
    faults.judge("health without engine, started by hand", bare, ended, 1, "no launcher on this node started")
    ended = bare.learner(f"trust_server=127.0.0.1:{bare.port}").end()
    faults.judge("the same, trusted", bare, ended, 1, "its world size is 0")
    assert stranger.process.poll() is None


def test_no_server_in_time(bare, faults):
    ended = bare.learner("wait_timeout=2").end()
    faults.judge("wait timeout", bare, ended, 1, "waited 2 seconds")


@pytest.mark.parametrize("number", SIGNALS)
def test_learner_is_told_to_end_while_it_waits(bare, faults, number):
    learner = bare.learner()
    learner.until("waiting for")
    said = f"{number.name} to the learner's launcher as it waits"
    faults.judge(said, bare, learner.end(number), SIGNALS[number], "waiting for")


def test_no_folder_for_logs(bare, faults):
    faults.judge("logs cannot be written", bare, bare.server("logs=/proc/none").end(), 2, "pass --logs DIR")


def test_disk_is_full(bare, faults):
    """The launcher may not write another byte to its logs; what it started has no such limit."""
    server = bare.server("show=quiet")
    bare.process(APP)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    bare.ready(server)
    ended = server.end(signal.SIGTERM)
    faults.judge("disk full for logs", bare, ended, 143, "going on without it")
    assert bare.free()
