"""Signals and terminals: whatever happens to them, what was started goes on, or ends whole when it is told to."""

import contextlib
import os
import pty
import signal
import subprocess
from dataclasses import fields
from dataclasses import replace

import pytest

from launch.machine import processes
from launch.run.times import Times
from launch.run.times import times
from schema.errors import InputError
from tests.launch.bench import end
from tests.launch.bench import until

SERVER = "grpo_rollout_server.sh"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def redirected(bench, how, **environment):
    """A server that a shell starts, with its streams as the shell has them."""
    words = bench.words(SERVER, "gpus=0")
    return bench.start("bash", "-c", f'exec "$@" {how}', "bash", *words, **environment)


def told_to_end(bench, process):
    """The exit code of a server that runs and is then told to end."""
    until(bench.is_announced)
    process.terminate()
    code, _, err = end(process)
    assert not bench.left(), err
    assert not list(bench.state.iterdir())
    return code


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_a_launcher_that_a_script_put_in_the_background(bench, number):
    shell = bench.start("bash", "-c", '"$@" & echo "$!"; wait "$!"', "bash", *bench.words(SERVER, "gpus=0"))
    until(bench.healthy)
    os.kill(int(shell.stdout.readline()), number)
    code, _, err = end(shell)
    assert code == CODES[number], err
    assert not bench.left()


@pytest.mark.parametrize("hang_up", [False, True])
def test_terminal(bench, hang_up):
    terminal, its_end = pty.openpty()
    process = bench.start(*bench.words(SERVER, "gpus=0"), terminal=its_end)
    os.close(its_end)
    until(bench.healthy)
    if not hang_up:
        os.write(terminal, b"\x03")
        assert process.wait(timeout=30) == 130
    os.close(terminal)
    code, _, err = end(process)
    assert code == (129 if hang_up else 130), err
    assert not bench.left()


def test_signal_while_it_starts(bench):
    """Whenever the signal comes, nothing is left; the first ones come before validate-config has answered."""
    for delay in (0.05, 0.4, 0.5, 0.6):
        process = bench.start(*bench.words(SERVER, "gpus=0"))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=delay)
        process.terminate()
        code, _, err = end(process)
        assert code in (143, -signal.SIGTERM), err
        assert not bench.left()
        assert not list(bench.state.glob("*"))


@pytest.mark.parametrize("phase", ["loading", "ready"])
@pytest.mark.parametrize("numbers", [(signal.SIGHUP, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM), CODES])
def test_several_signals_at_once(bench, numbers, phase):
    process = bench.server("show=quiet", STAND_IN_LOADS="60" if phase == "loading" else "0")
    bench.recorded("swift")
    until((bench.loading if phase == "loading" else bench.ready).exists)
    process.send_signal(signal.SIGSTOP)
    for number in numbers:
        process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    code = process.wait(timeout=30)
    assert not bench.left()
    assert not list(bench.state.iterdir())
    assert code in CODES.values()
    assert "the launcher was killed" not in end(process)[2]


def test_server_that_ignores_sigterm_is_killed_after_the_grace_period(bench):
    process = bench.server(STAND_IN_IGNORES_TERM="1", ROLLOUT_SPLIT_GRACE="1")
    until(bench.healthy)
    process.terminate()
    code, _, err = end(process)
    assert (code, "killing the processes that have not ended" in err) == (143, True)
    assert not bench.left()


def test_second_ctrl_c_kills_at_once(bench):
    process = bench.server("show=quiet", STAND_IN_IGNORES_TERM="1")
    until(bench.is_announced)
    process.send_signal(signal.SIGINT)
    until(lambda: any("ending its processes" in line for line in process.stderr))
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert (code, "killing the processes that have not ended" in err) == (130, True)
    assert not bench.left()


@pytest.mark.parametrize("name", [field.name for field in fields(Times)])
def test_times_are_numbers(monkeypatch, name):
    variable = f"ROLLOUT_SPLIT_{name.upper()}"
    monkeypatch.setenv(variable, "7")
    assert times() == replace(Times(), **{name: 7})
    monkeypatch.setenv(variable, "soon")
    with pytest.raises(InputError, match=f"{variable} is 'soon'; it must be a whole number of seconds"):
        times()


def test_wrong_time_ends_a_start(bench):
    code, _, err = end(bench.server(ROLLOUT_SPLIT_GRACE="soon"))
    assert (code, "must be a whole number of seconds" in err) == (2, True)


def test_learner_that_ignores_sigterm_is_killed_with_its_worker(bench):
    learner = bench.learner("health_check=false", STAND_IN_IGNORES_TERM="1", ROLLOUT_SPLIT_GRACE="1")
    bench.recorded("torchrun")
    learner.terminate()
    code, _, err = end(learner)
    assert (code, "killing the processes that have not ended" in err) == (143, True)
    assert not bench.left()


# Streams that are closed, gone or stuck


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(bench, closed):
    process = redirected(bench, closed, STAND_IN_CHATS="1")
    assert told_to_end(bench, process) == 143
    assert "chatchat" in (bench.logs / "latest/output.log").read_text()


@pytest.mark.parametrize("together", [True, False])
def test_message_after_a_progress_bar_has_a_line_of_its_own(bench, together):
    bench.ready_server()
    both = bench.home / "both"
    with both.open("ab") as file:
        learner = bench.learner(STAND_IN_BAR="yes", **({"output": file} if together else {}))
    until(lambda: "1/5" in "".join(path.read_text() for path in bench.logs.glob("latest-learner/output.log")))
    learner.terminate()
    _, _, apart = end(learner)
    shown = both.read_bytes().decode() if together else apart
    assert "\nlearner: ending its processes" in shown, shown
    assert "\n\n" not in shown, shown


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
    until(bench.is_announced)
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
    terminal, its_end = pty.openpty()
    process = bench.start(*bench.words(SERVER, "gpus=0"), output=its_end, STAND_IN_CHATS="5000")
    os.close(its_end)
    assert told_to_end(bench, process) == 143
    os.close(terminal)


def test_guard_that_is_killed(bench):
    """By an operator who takes it for a leftover: the launcher has the same name."""
    process = bench.ready_server()
    children = {each.pid for each in processes.all_processes() if each.parent == process.pid}
    (guard,) = children - {bench.recorded("swift")["pid"]}
    os.kill(guard, signal.SIGKILL)
    assert told_to_end(bench, process) == 143
