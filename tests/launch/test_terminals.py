"""Launchers whose terminal is closed, gone or stuck: what they started goes on, and ends when it is told to."""

import os
import signal

import pytest
from bench import end
from bench import until

from schema.launch.machine import processes

SERVER = "grpo_rollout_server.sh"


def redirected(bench, how, **environment):
    """A server that a shell starts, with its streams as the shell has them."""
    words = bench.words(SERVER, "gpus=0")
    return bench.start("bash", "-c", f'exec "$@" {how}', "bash", *words, **environment)


def told_to_end(bench, process):
    """The exit code of a server that runs and is then told to end."""
    until(bench.ready.exists)
    process.terminate()
    code, _, said = end(process)
    assert not bench.left(), said
    assert not list(bench.state.iterdir())
    return code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(bench, closed):
    process = redirected(bench, closed, STAND_IN_CHATS="1")
    assert told_to_end(bench, process) == 143
    assert "chatchat" in (bench.logs / "latest/output.log").read_text()


def test_reader_of_all_output_that_is_gone(bench):
    """`2>&1 | head -1`: not even what is said before the start finds a reader."""
    reading, writing = os.pipe()
    os.close(reading)
    process = bench.start(*bench.words(SERVER, "gpus=0"), output=writing)
    os.close(writing)
    assert told_to_end(bench, process) == 143


@pytest.fixture
def stuck(bench):
    """A server on a pipe that is full at once and that nobody reads."""
    reading, writing = os.pipe()
    process = bench.start(*bench.words(SERVER, "gpus=0"), output=writing, STAND_IN_CHATS="5000")
    os.close(writing)
    until(bench.ready.exists)
    yield process
    os.close(reading)


def test_reader_that_sleeps(bench, stuck):
    assert told_to_end(bench, stuck) == 143
    output = (bench.logs / "latest/output.log").read_text()
    assert output.count("chat" * 16) == 5000


def test_reader_that_sleeps_when_the_launcher_is_killed(bench, stuck):
    stuck.kill()
    until(lambda: not bench.left())


def test_terminal_that_is_held(bench):
    """Ctrl-S on a terminal whose buffer is full: as with a pipe that nobody reads."""
    terminal, its_end = os.openpty()
    process = bench.start(*bench.words(SERVER, "gpus=0"), output=its_end, STAND_IN_CHATS="5000")
    os.close(its_end)
    assert told_to_end(bench, process) == 143
    os.close(terminal)


def test_guard_that_is_killed(bench):
    """By an operator who takes it for a leftover: the launcher has the same name."""
    process = bench.ready_server()
    children = {each.pid for each in processes.everyone() if each.parent == process.pid}
    (guard,) = children - {bench.said("swift")["pid"]}
    os.kill(guard, signal.SIGKILL)
    assert told_to_end(bench, process) == 143
