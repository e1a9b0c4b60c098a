"""Starts that follow each other wait for what an ended run releases late, not for what a living one holds."""

import os
import signal
import time
from dataclasses import replace

import pytest

from launch import preflight
from launch.machine import processes
from tests.launch.bench import NVIDIA_SMI
from tests.launch.bench import end
from tests.launch.bench import linger
from tests.launch.bench import until
from tests.launch.looks import FREE
from tests.launch.looks import job

WAITS = "s until an ended run releases GPU {} (1156 of 143771 MiB in use, by no living process)"
NEVER = {"STAND_IN_LATE": "1000"}


@pytest.fixture
def late(bench):
    """A bench on a machine whose GPUs are said to hold memory for some looks."""
    bench.install("nvidia-smi", NVIDIA_SMI)
    return bench


@pytest.mark.parametrize(("side", "gpu"), [("server", 0), ("learner", 1)])
def test_memory_that_is_given_back_late_is_waited_for(late, side, gpu):
    code, _, err = end(getattr(late, side)("preflight_only=true", STAND_IN_LATE="1"))
    assert (code, err.count(WAITS.format(gpu))) == (0, 1), err
    assert "no finding forbids this start" in err


def test_a_server_starts_once_the_memory_is_there(late):
    late.ready_server(STAND_IN_LATE="1")


@pytest.mark.parametrize("words", [(), ("preflight_only=true",)])
def test_memory_that_is_never_given_back(late, words):
    begun = time.monotonic()
    code, _, err = end(late.server("release_wait=1.5", *words, **NEVER))
    assert (code, err.count("waiting for at most 1.5 s")) == (1, 1), err
    assert "1156 of 143771 MiB are in use, by no process that nvidia-smi knows, still after 2 s" in err
    assert 1.5 <= time.monotonic() - begun < 20
    assert not (late.home / "swift.json").exists()


def test_nothing_is_waited_for_where_none_is_wanted(late):
    code, _, err = end(late.server("release_wait=0", **NEVER))
    assert (code, "waiting" in err, "still after" in err) == (1, False, False)


def test_memory_of_a_living_process_is_refused_at_once(late):
    code, _, err = end(late.server("release_wait=600", STAND_IN_APP=str(os.getpid()), **NEVER))
    assert (code, "waiting" in err, f"by process {os.getpid()} (" in err) == (1, False, True), err


def test_the_wait_is_ended_by_a_signal(late):
    server = late.server("release_wait=600", **NEVER)
    until((late.home / "looks").exists)
    server.send_signal(signal.SIGINT)
    code, _, err = end(server)
    assert (code, "rollout server: ended by SIGINT" in err) == (130, True)


def test_nothing_is_waited_for_where_something_else_is_wrong(late):
    code, _, err = end(late.server("release_wait=600", VLLM_USE_V1="0", **NEVER))
    assert (code, "waiting" in err, "error[gpu-busy]" in err) == (1, False, True)


def test_what_is_allowed_is_not_waited_for(late):
    code, _, err = end(late.server("release_wait=600", "preflight_only=true", "allow=gpu-busy", **NEVER))
    assert (code, "waiting" in err, "warning[gpu-busy]" in err) == (0, False, True)


def test_a_port_that_lingers_is_waited_for(bench):
    linger(bench.port)
    code, _, err = end(bench.server("release_wait=0.5"))
    assert (code, err.count(f"releases port {bench.port} (connections in TIME_WAIT)")) == (1, 1), err
    assert f"port {bench.port} is held by connections in TIME_WAIT" in err


@pytest.mark.parametrize(
    ("used", "apps", "waits", "message"),
    [
        (1156, (), True, "by no process that nvidia-smi knows"),
        (1156, ((999999999, 1100),), True, "by process 999999999, which does not run here"),
        (1156, ((os.getpid(), 100),), True, f"by process {os.getpid()} ("),
        (1156, ((os.getpid(), 1100),), False, f"by process {os.getpid()} ("),
        (1156, ((os.getpid(), None),), False, f"by process {os.getpid()} ("),
        (2400, ((os.getpid(), 600), (os.getppid(), 600)), False, f"; process {os.getppid()} ("),
    ],
    ids=["nobody", "elsewhere", "partly", "here", "here-unknown", "two-here"],
)
def test_who_holds_the_memory(look, used, apps, waits, message):
    here = replace(look(), gpus=(FREE[0]._replace(used=used, apps=apps), *FREE[1:]))
    (found,) = preflight.findings(here)
    assert message in found.message
    assert bool(preflight.transient(here, [found])) is waits


def test_a_process_that_has_ended_and_was_not_reaped_holds_nothing():
    pid = os.fork()
    if not pid:
        os._exit(0)
    until(lambda: processes.read(pid).state == "Z")
    assert not processes.is_alive(pid)
    os.waitpid(pid, 0)


def test_a_gpu_of_a_job_that_runs_is_not_waited_for(look):
    here = look()
    busy = (FREE[0]._replace(used=1156), *FREE[1:])
    here = replace(here, gpus=busy, jobs=(job(here, port=1, group_port=2, gpus=("0",)),))
    assert preflight.transient(here, preflight.findings(here)) == []
