"""What happens to a learner whose server fails under it, on real ms-swift and vLLM."""

import signal

import pytest

from tests.upstream.cpu.node import APART
from tests.upstream.cpu.node import ENGINE
from tests.upstream.cpu.node import NAMES
from tests.upstream.cpu.node import SIGNALS
from tests.upstream.cpu.node import SWIFT
from tests.upstream.cpu.node import WORKER
from tests.upstream.cpu.node import ends


def training(node, **environment):
    """A server, and a learner that trains with it."""
    server = node.ready(node.server(**environment))
    learner = node.learner(preset=node.endless)
    learner.until("Train: ")
    return server, learner


@pytest.mark.parametrize(
    ("words", "number", "code"),
    [
        (SWIFT, signal.SIGTERM, 143),
        (SWIFT, signal.SIGKILL, 137),
        (WORKER, signal.SIGKILL, 83),
        (ENGINE, signal.SIGKILL, 83),
    ],
)
def test_server_is_killed(bare, faults, words, number, code):
    server, learner = training(bare, **(APART if words == ENGINE else {}))
    bare.signal(words, number)
    said, ended = ends(server, learner)
    fault = f"{number.name} to {NAMES[words]} as a learner trains"
    faults.judge(f"{fault}: the server's launcher", bare, said, code, "ending its processes")
    faults.judge(f"{fault}: the learner's", bare, ended, 84, "the rollout server is lost")
    assert bare.free()


@pytest.mark.parametrize("number", SIGNALS)
def test_launcher_of_the_server_is_told_to_end(bare, faults, number):
    server, learner = training(bare)
    server.process.send_signal(number)
    said, ended = ends(server, learner)
    fault = f"{number.name} to the server's launcher as a learner trains"
    faults.judge(f"{fault}: the server's launcher", bare, said, SIGNALS[number], "ending its processes")
    faults.judge(f"{fault}: the learner's", bare, ended, 84, "the rollout server is lost")
    assert bare.free()


def test_weights_cannot_be_loaded(bare, faults):
    server = bare.ready(bare.server(CPU_PACKED_WEIGHTS="1"))
    bare.keep()
    ended = bare.learner(preset=bare.endless).end()
    faults.judge("weight load fails on the server", bare, ended, 85, "Method execution failed: collective_rpc")
    assert server.process.poll() is None
