"""What operators lose time to, each caught, named and cleaned up; `swift` and `torchrun` are stand-ins."""

import contextlib
import os
import signal
import socket

import pytest

from tests.launch.bench import linger
from tests.launch.bench import listens
from tests.launch.bench import until

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
QUIET = "show=quiet"
#: For a server that is known not to answer.
ANSWER = {"ROLLOUT_SPLIT_ANSWER": "1"}


def training(bench, *words, **environment):
    """A learner that trains beside a ready server; the learner, its server."""
    server = bench.ready_server(**environment)
    learner = bench.learner(QUIET, *words, **environment)
    bench.recorded("torchrun")
    return learner, server


def learners(bench):
    """The learner's processes that live."""
    recorded = bench.recorded("torchrun")
    return {recorded["pid"], recorded["worker"]} & set(bench.left())


# Ports


def test_port_taken_before(bench, faults):
    with socket.create_server(("127.0.0.1", bench.port)):
        faults.judge("port taken before", bench.server(), 1, f"port {bench.port} is held by process {os.getpid()}")
    assert not (bench.home / "swift.json").exists()


def test_port_in_time_wait(bench, faults):
    linger(bench.port)
    server = bench.server("release_wait=0")
    faults.judge("TIME_WAIT", server, 1, f"port {bench.port} is held by connections in TIME_WAIT")


def test_port_taken_between_check_and_start(bench, faults):
    with socket.create_server(("127.0.0.1", bench.port)):
        server = bench.server(QUIET, "allow=port-taken")
        faults.judge("port stolen after the check", server, 81, f"moved to port {bench.port + 1}", bench.left)


def test_port_stolen_while_the_server_loads(bench, faults):
    server = bench.server(QUIET, STAND_IN_LOADS="60")
    bench.recorded("swift")
    with socket.create_server(("127.0.0.1", bench.port)):
        message = f"took port {bench.port} while the server loaded"
        faults.judge("port stolen during load", server, 81, message, bench.left)


def test_group_port_taken(bench, faults):
    with socket.create_server(("127.0.0.1", bench.group_port)):
        message = f"group port {bench.group_port} is held by process {os.getpid()}"
        faults.judge("group port taken", bench.server(), 1, message)


def test_stale_server(bench, faults):
    bench.running_server()
    faults.judge(
        "stale server", bench.learner(), 1, f"no launcher on this node started what answers on port {bench.port}"
    )
    assert not (bench.home / "torchrun.json").exists()


# A server that is none


def test_wrong_world_size(bench, faults):
    message = "the server has world size 3, but the preset says TP x DP = 1"
    faults.judge("wrong world size", bench.server(QUIET, STAND_IN_WORLD="3"), 82, message, bench.left)


def test_health_without_an_engine(bench, faults):
    message = "the server answers /health/, but generates nothing: HTTP 500"
    faults.judge("health without engine", bench.server(QUIET, STAND_IN_NO_ENGINE="1"), 82, message, bench.left)
    assert not list(bench.state.iterdir())


def test_no_server_in_time(bench, faults):
    learner = bench.learner("wait_timeout=1")
    faults.judge("wait timeout", learner, 1, "waited 1 seconds; nobody has started it", bench.left)


def test_stranger_that_is_no_server(bench, faults):
    with socket.create_server(("127.0.0.1", bench.port)):
        message = f"waited 0 seconds; the port is held by process {os.getpid()}"
        faults.judge("no server, but something on its port", bench.learner("wait_timeout=0"), 1, message)


def test_server_that_waits_for_a_learner_that_is_gone(bench, faults):
    bench.ready_server()
    (bench.home / "stuck").touch()
    message = "it answers /health/, but generates nothing: no answer within 1 seconds; a learner that ended while"
    faults.judge("server left waiting by a learner", bench.learner(**ANSWER), 1, message)
    assert not (bench.home / "torchrun.json").exists()


def test_server_that_does_not_answer(bench, faults):
    bench.ready_server()
    os.kill(bench.recorded("swift")["pid"], signal.SIGSTOP)
    message = "waited 1 seconds; it does not answer, and no learner uses it"
    faults.judge("silent server", bench.learner("wait_timeout=1"), 1, message)
    os.kill(bench.recorded("swift")["pid"], signal.SIGCONT)


def test_learner_that_leaves_its_server_waiting(bench, faults):
    learner, _ = training(bench, **ANSWER)
    (bench.home / "stuck").touch()
    learner.send_signal(signal.SIGTERM)
    message = "the rollout server is left behind: it answers /health/, but generates nothing"
    faults.judge("learner ended amid a weight sync", learner, 143, message, lambda: learners(bench))


# Deaths


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_server_is_killed_while_it_loads(bench, faults, number):
    server = bench.server(QUIET, STAND_IN_LOADS="60")
    os.kill(bench.recorded("swift")["pid"], number)
    message = f"ended with {128 + number} before it was ready"
    faults.judge(f"server killed while loading, {number.name}", server, 128 + number, message, bench.left)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_server_is_killed_under_a_learner(bench, faults, number):
    learner, server = training(bench)
    os.kill(bench.recorded("swift")["pid"], number)
    message = "the rollout server is lost: process"
    faults.judge(f"server killed while training, {number.name}", learner, 84, message, lambda: learners(bench))
    faults.judge(f"the server's own launcher, {number.name}", server, 128 + number, "ended with", bench.left)


def test_engine_is_killed_under_a_learner(bench, faults):
    learner, server = training(bench)
    os.kill(bench.recorded("swift")["engine"], signal.SIGKILL)
    message = "which holds an engine, has died"
    faults.judge("EngineCore killed while training", server, 83, message)
    faults.judge("its learner", learner, 84, "the rollout server is lost", bench.left)


def test_learner_that_fails_because_its_server_died_says_so(bench):
    learner, _ = training(bench, STAND_IN_WATCHES="1")
    os.kill(bench.recorded("swift")["pid"], signal.SIGKILL)
    _, err = learner.communicate(timeout=30)
    assert (learner.returncode, "the rollout server is lost" in err) == (84, True)


def test_learner_that_hangs_is_ended_soon_after_its_server(bench, faults):
    bench.ready_server()
    learner = bench.learner(QUIET, STAND_IN_IGNORES_TERM="1")
    bench.recorded("torchrun")
    os.kill(bench.recorded("swift")["pid"], signal.SIGKILL)
    message = "killing the processes that have not ended"
    faults.judge("learner hangs when its server dies", learner, 84, message, lambda: learners(bench))


def test_learner_is_killed(bench, faults):
    learner, _ = training(bench)
    os.kill(bench.recorded("torchrun")["pid"], signal.SIGKILL)
    faults.judge("learner killed", learner, 137, "ending its processes", lambda: learners(bench))
    assert bench.healthy()


@pytest.mark.parametrize("side", ["server", "learner"])
def test_launcher_is_killed(bench, faults, side):
    learner, server = training(bench)
    killed = {"server": server, "learner": learner}[side]
    killed.kill()
    message = "the launcher was killed: ending its processes"
    faults.judge(f"{side}'s launcher killed", killed, -signal.SIGKILL, message, lambda: remains(bench, side))


def remains(bench, side):
    if side == "learner":
        assert bench.healthy()
        return learners(bench)
    with contextlib.suppress(AssertionError):
        until(lambda: not bench.left())  # its learner ends, too
    return bench.left()


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("phase", ["loading", "ready"])
def test_server_is_told_to_end(bench, faults, phase, number):
    server = bench.server(QUIET, STAND_IN_LOADS="60" if phase == "loading" else "0")
    until((bench.loading if phase == "loading" else bench.ready).exists)
    bench.recorded("swift")
    server.send_signal(number)
    faults.judge(f"server {phase}, {number.name}", server, CODES[number], f"ended by {number.name}", bench.left)
    assert not listens(bench.port)
    assert not list(bench.state.iterdir())


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("phase", ["waiting", "training"])
def test_learner_is_told_to_end(bench, faults, phase, number):
    if phase == "waiting":
        learner = bench.learner()
        until(lambda: any("waiting for" in line for line in learner.stderr))
    else:
        learner, _ = training(bench)
    learner.send_signal(number)
    left = bench.left if phase == "waiting" else lambda: learners(bench)
    faults.judge(f"learner {phase}, {number.name}", learner, CODES[number], f"ended by {number.name}", left)
    assert phase == "waiting" or bench.healthy()


def test_learner_is_told_to_end_while_its_weights_are_checked(bench):
    bench.ready_server()
    learner = bench.learner("show=quiet", STAND_IN_SYNCS="2", STAND_IN_STICKS="1", STAND_IN_EXIT="0", **ANSWER)
    until((bench.home / "stuck").exists)
    until(lambda: (bench.home / "torchrun.json").exists() and not learners(bench))
    learner.send_signal(signal.SIGTERM)
    assert learner.wait(timeout=30) == 143


def test_learner_is_told_to_end_while_what_it_left_is_cleaned_up(bench):
    """A signal in this moment is not lost: nothing waits for the server's answer afterwards."""
    bench.ready_server()
    words = {"STAND_IN_LEAVES": "1", "ROLLOUT_SPLIT_GRACE": "2", "STAND_IN_EXIT": "0"}
    learner = bench.learner(QUIET, STAND_IN_SYNCS="2", STAND_IN_STICKS="1", **words, **ANSWER)
    until(lambda: any("ending its processes" in line for line in learner.stderr))
    learner.send_signal(signal.SIGTERM)
    assert learner.wait(timeout=30) == 143


# Weights


def test_weights_that_do_not_load(bench, faults):
    bench.ready_server(STAND_IN_FAILS="1")
    learner = bench.learner(QUIET, STAND_IN_SYNCS="1")
    message = "failed to load weights, and ms-swift only logged it"
    faults.judge("weight load fails", learner, 85, message, lambda: learners(bench))


def test_weights_that_did_not_load_at_the_very_end(bench):
    bench.ready_server(STAND_IN_FAILS="1")
    learner = bench.learner(STAND_IN_SYNCS="1", STAND_IN_EXIT="0")
    _, err = learner.communicate(timeout=30)
    assert learner.returncode == 85
    assert "server| AttributeError: 'Parameter' object has no attribute 'weight_loader'" in err


def test_weights_that_do_not_arrive(bench, faults):
    bench.ready_server(STAND_IN_STALE="1")
    learner = bench.learner(STAND_IN_SYNCS="2", STAND_IN_EXIT="0")
    faults.judge("stale weights", learner, 86, "the server answers exactly as before", lambda: learners(bench))


@pytest.mark.parametrize(
    ("word", "syncs", "message"),
    [
        ("weights_check=false", "2", ""),
        ("weights_check=true", "1", "not checked: the learner ended before its second sync"),
    ],
)
def test_weights_that_need_not_have_changed(bench, word, syncs, message):
    bench.ready_server(STAND_IN_STALE="1")
    learner = bench.learner(word, STAND_IN_SYNCS=syncs, STAND_IN_EXIT="0")
    _, err = learner.communicate(timeout=30)
    assert (learner.returncode, message in err) == (0, True), err


# Completions


def test_completions_that_fail_as_the_learner_learns(bench, faults):
    bench.ready_server()
    learner = bench.learner(QUIET, STAND_IN_LOSES="1", ROLLOUT_SPLIT_QUIET="2")
    message = "ms-swift only logged it: Server 0 failed: 500; the learner has been silent for"
    faults.judge("completions fail, async_generate", learner, 87, message, lambda: learners(bench))


# Logs

#: Where files may not grow: Python would cut off its own bytecode files, too, and choke on them ever after.
LIMITED = {"PYTHONDONTWRITEBYTECODE": "1", "STAND_IN_CHATS": "1000"}


def test_logs_that_cannot_be_made(bench, faults):
    (bench.home / "file").touch()
    server = bench.server("logs=file/logs")
    faults.judge("no folder for logs", server, 2, "pass --logs DIR to write logs elsewhere")
    assert not (bench.home / "swift.json").exists()


def test_logs_that_fill_the_disk(bench, faults):
    words = bench.words("grpo_rollout_server.sh", "gpus=0", QUIET)
    server = bench.start("bash", "-c", 'ulimit -f 16; exec "$@"', "bash", *words, **LIMITED)
    until(bench.is_announced)
    assert bench.healthy()
    server.terminate()
    faults.judge("disk full for logs", server, 143, "cannot be written: File too large; going on without it")


def test_disk_that_is_full_for_the_launcher_too(bench):
    words = bench.words("grpo_rollout_server.sh", "gpus=0", "show=live")
    limited = 'ulimit -f 16; exec "$@" >said 2>&1'
    server = bench.start("bash", "-c", limited, "bash", *words, **LIMITED)
    until(bench.is_announced)
    server.terminate()
    assert server.wait(timeout=30) == 143
    assert not bench.left()


def test_terminal_that_is_gone(bench):
    server = bench.server(STAND_IN_CHATS="1")
    server.stdout.close()
    until(bench.is_announced)
    assert bench.healthy()
