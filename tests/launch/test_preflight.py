"""Checks of the machine, each on a machine that has what it looks for."""

import errno
import os
import socket
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from launch import preflight
from launch.preflight import ServerStatus
from schema import catalogue
from schema.findings import Severity
from tests.launch.bench import SMOKE
from tests.launch.bench import end
from tests.launch.bench import linger
from tests.launch.looks import FREE
from tests.launch.looks import job

CONFIGS = Path(__file__).parents[1] / "schema/shape/configs"


def ids(look, **changes):
    return [finding.rule for finding in preflight.findings(replace(look, **changes))]


def only(look, **changes):
    (finding,) = preflight.findings(replace(look, **changes))
    return finding


@pytest.mark.parametrize("side", ["server", "learner"])
def test_nothing_speaks_against_a_fit_machine(look, side):
    assert ids(look(side)) == []


# Ports


def test_port_that_another_service_uses_as_its_own_end(look):
    here = look()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.bind(("127.0.0.1", here.server.port))
        client.connect(listener.getsockname())
        assert "is held by a connection that uses it as its own port" in only(here).message


def test_port_that_is_too_low_for_this_user(look, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    here = look()
    monkeypatch.setattr(socket.socket, "bind", refuse)
    messages = [finding.message for finding in preflight.findings(here)]
    assert len(messages) == 2
    assert all("is held by the system: this user may not open ports so low" in message for message in messages)


@pytest.mark.parametrize("side", ["server", "learner"])
def test_group_port(look, side):
    here = look(side)
    with socket.create_server(("127.0.0.1", here.server.group_port)):
        assert only(here).rule == "group-port-taken"
        assert ids(here, trusted=True) == []
        # the server itself holds it for a learner that was killed
        assert ids(here, jobs=(job(here),)) == (["second-job"] if side == "server" else [])


def test_group_port_of_an_ended_job_is_free(look):
    here = look()
    linger(here.server.group_port)
    assert ids(here) == []


@pytest.mark.parametrize(("offset", "found"), [(0, 1), (-99, 1), (-100, 0), (1, 0)])
def test_engine_ports(look, offset, found):
    here = look()
    clashes = ids(here, environment={"VLLM_PORT": str(here.server.port + offset)}).count("engine-port-clash")
    assert clashes >= found


@pytest.mark.parametrize(
    ("side", "kind", "ports", "found"),
    [
        ("server", "server", {}, ["second-job"]),
        ("server", "loading", {"port": 1}, ["second-job"]),
        ("server", "server", {"port": 1, "group_port": 2}, []),
        ("server", "learner", {"port": 1}, ["second-job"]),
        ("learner", "server", {}, []),
        ("learner", "learner", {}, ["second-job"]),
        ("learner", "server", {"port": 1}, ["second-job"]),
    ],
)
def test_second_job(look, side, kind, ports, found):
    here = look(side)
    assert ids(here, jobs=(job(here, kind, **ports),)) == found


# GPUs


def test_gpus_of_another_job(look):
    here = look(gpus="2,")
    other = job(here, port=1, group_port=2, gpus=("GPU-22",))
    finding = only(here, jobs=(other,))
    assert finding.rule == "shared-gpu"
    assert "GPU 2 is used by a rollout server of launcher" in finding.message
    assert "free now: 0, 1, 2, 3" in finding.fix


def test_gpus_that_do_not_exist(look):
    here = look("server", ("data_parallel_size: 1", "data_parallel_size: 3"), gpus="3,4,GPU-77")
    assert "GPU 4, GPU-77 does not exist; this machine has 0, 1, 2, 3" in only(here).message


def test_gpu_under_two_names(look):
    here = look("server", ("data_parallel_size: 1", "data_parallel_size: 2"), gpus="1,GPU-11")
    assert only(here).message == "--gpus names one GPU twice: 1 and GPU-11"


@pytest.mark.parametrize(
    ("used", "apps", "message"),
    [
        (1023, (), None),
        (1023, ((1, 100),), None),
        (28672, (), "GPU 0 is not free: 28672 of 143771 MiB are in use, by no process that nvidia-smi knows"),
        (28672, ((os.getpid(), 28000),), f"by process {os.getpid()} ("),
        (600, ((999999999, None),), "by process 999999999"),
    ],
    ids=["of-the-driver", "of-a-small-program", "of-nobody", "of-a-process", "of-a-process-elsewhere"],
)
def test_gpu_that_is_not_free(look, used, apps, message):
    here = look()
    busy = (FREE[0]._replace(used=used, apps=apps), *FREE[1:])
    found = preflight.findings(replace(here, gpus=busy))
    assert [finding.rule for finding in found] == ([] if message is None else ["gpu-busy"])
    assert not found or message in found[0].message


def test_without_nvidia_smi(look):
    finding = only(look(), gpus=None)
    assert (finding.rule, finding.severity) == ("gpus-unseen", Severity.WARNING)


# The environment


@pytest.mark.parametrize(
    ("side", "variables", "found"),
    [
        ("server", {"RANK": "0", "NPROC_PER_NODE": "8"}, ["inherited-launch"]),
        ("server", {"VLLM_USE_V1": "0"}, ["vllm-v0"]),
        ("learner", {"VLLM_USE_V1": "0"}, []),
        ("server", {"VLLM_USE_V1": "1"}, []),
        ("server", {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}, ["expandable-segments"]),
        (
            "learner",
            {"PYTORCH_ALLOC_CONF": "max_split_size_mb:9,expandable_segments:True"},
            ["expandable-segments"],
        ),
        ("server", {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments : True"}, ["expandable-segments"]),
        ("server", {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:False"}, []),
    ],
)
def test_variables(look, side, variables, found):
    assert ids(look(side), environment=variables) == found


@pytest.mark.parametrize(
    ("own", "message", "fix"),
    [
        ({}, "is inherited from this shell", "unset VLLM_USE_V1"),
        ({"VLLM_USE_V1": "0"}, "is set in the preset's ENV", "remove VLLM_USE_V1 from ENV"),
    ],
)
def test_who_sets_a_variable(look, own, message, fix):
    here = look()
    plan = replace(here.plan, environment=own)
    finding = only(here, plan=plan, environment={"VLLM_USE_V1": "0"})
    assert (finding.message, finding.fix) == (f"VLLM_USE_V1=0 {message}", fix)


def test_master_port(look):
    here = look()
    assert ids(here, environment={"MASTER_PORT": str(here.server.group_port)}) == [
        "inherited-launch",
        "master-port-clash",
    ]


# Model and versions


@pytest.mark.parametrize(
    ("model", "severity"),
    [
        ("Qwen/Qwen3-VL-4B-Instruct", Severity.WARNING),
        ("models/mine", Severity.WARNING),  # either a hub's, or the working directory is a wrong one
        ("./here", Severity.ERROR),
        ("/no/such", Severity.ERROR),
        ("output/run/checkpoint-3", Severity.ERROR),
        ("configs/absent", Severity.ERROR),  # next to a folder of that name
    ],
)
def test_model(look, model, severity, monkeypatch):
    monkeypatch.chdir(SMOKE.parents[2])
    here = look("server", ("build/smoke/model", model))
    finding = only(here)
    assert (finding.rule, finding.severity) == ("model-missing", severity)


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        (None, ["software-missing"]),
        ({"vllm": "0.23.0"}, ["software-missing"]),
        ({"ms-swift": catalogue.newest()}, ["software-missing"]),
        ({"ms-swift": "99.1", "vllm": "0.23.0"}, ["software-differs"]),
    ],
)
def test_versions(look, versions, found):
    assert ids(look("learner"), software=versions) == found


@pytest.mark.parametrize(
    ("swift", "vllm", "found"),
    [
        ("4.2.0", "0.14.0", True),
        ("4.2.1", "0.14.0", False),
        ("4.2.0", "0.13.0", False),
        ("3.12", "0.15.1+cu1", True),
    ],
)
def test_pair_that_cannot_start_several_engines(look, swift, vllm, found):
    here = look("server", ("data_parallel_size: 1", "data_parallel_size: 2"), gpus="0,1")
    assert ("software-pair" in ids(here, software={"ms-swift": swift, "vllm": vllm})) is found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  use_vllm: true", "  multi_turn_scheduler: math_tip_trick\n  use_vllm: true", False),
        ("  vllm_enforce_eager", "  vllm_use_async_engine: true\n      vllm_enforce_eager", False),
        ("  vllm_enforce_eager", "  vllm_enable_expert_parallel: true\n      vllm_enforce_eager", True),
        ("temperature: 1.0", "temperature: 0.9", True),
    ],
)
def test_the_pair_counts_for_the_sync_engine_alone(look, old, new, found):
    here = look("server", ("data_parallel_size: 1", "data_parallel_size: 2"), (old, new), gpus="0,1")
    assert ("software-pair" in ids(here, software={"ms-swift": "4.2.0", "vllm": "0.14.0"})) is found


@pytest.mark.parametrize(("vllm", "found"), [("0.11.2", ["software-pair"]), ("0.12.0", []), ("unknown", [])])
def test_pictures_on_an_installed_vllm_that_loses_them(look, tmp_path, vllm, found):
    here = look()
    (tmp_path / "model/config.json").write_text('{"vision_config": {}}')
    assert ids(here, software={"ms-swift": catalogue.newest(), "vllm": vllm}) == found


def test_what_the_target_tells_is_not_told_again(look, tmp_path):
    here = look()
    (tmp_path / "model/config.json").write_text('{"vision_config": {}}')
    release = here.context.release._replace(vllm="0.11.0")
    here = replace(here, context=replace(here.context, release=release))
    assert ids(here, software={"ms-swift": catalogue.newest(), "vllm": "0.11.2"}) == []


def test_program_that_does_not_tell_its_python(look):
    assert ids(look(), python=None, software=None) == ["software-unseen"]


def test_missing_program(look):
    assert only(look(), program="no-such-swift").message == "no-such-swift is not on PATH"


# The server that a learner found


def other(mine, **changes):
    return mine.model_copy(update={"server": mine.server.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (lambda mine: ServerStatus(None, mine, 1, (mine.pid,)), []),
        (lambda mine: ServerStatus("waited 3 seconds"), ["server-not-ready"]),
        (lambda mine: ServerStatus(None, None, 1, (7,)), ["unknown-server"]),
        (lambda mine: ServerStatus(None, mine, 1, (7,)), ["unknown-server"]),
        (lambda mine: ServerStatus(None, mine, 2, (mine.pid,)), ["another-server"]),
        (lambda mine: ServerStatus(None, other(mine, digest="x"), 1, (mine.pid,)), ["another-server"]),
    ],
)
def test_server_that_was_found(look, status, found):
    here = look("learner")
    assert ids(here, side="connect", server_status=status(job(here))) == found


def test_server_that_the_operator_vouches_for(look):
    here = replace(look("learner"), side="connect", trusted=True)
    assert ids(here, server_status=ServerStatus(None, None, 1, (7,))) == []
    assert ids(here, server_status=ServerStatus(None, job(here, digest="x"), 1, (7,))) == []
    assert ids(here, server_status=ServerStatus(None, None, 3, (7,))) == ["another-server"]


# All at once


def test_what_is_allowed_only_warns(look):
    here = replace(look(), environment={"VLLM_USE_V1": "0"}, software={})
    found = preflight.findings(here, frozenset({"vllm-v0"}))
    assert [(finding.rule, finding.is_error) for finding in found] == [
        ("software-missing", True),
        ("vllm-v0", False),
    ]


def test_what_is_allowed_must_be_a_check(bench):
    code, _, err = end(bench.server("allow=port-taken,gpu-bussy"))
    assert (code, "--allow names unknown checks: gpu-bussy;" in err) == (2, True)


def test_all_findings_at_once_and_nothing_is_started(bench):
    bench.edit(str(bench.model), str(bench.home / "nowhere"))
    with socket.create_server(("127.0.0.1", bench.port)):
        code, _, err = end(bench.server(VLLM_USE_V1="0", RANK="1"))
    assert code == 1
    assert all(f"error[{rule}]" in err for rule in ("port-taken", "model-missing", "vllm-v0"))
    assert "3 errors, 2 warnings in 1 file" in err
    assert not (bench.home / "swift.json").exists()
    assert not bench.logs.exists()


@pytest.mark.parametrize("start", ["server", "learner"])
def test_preflight_only(bench, start):
    code, out, err = end(getattr(bench, start)("preflight_only=true"))
    assert (code, out) == (0, "")
    assert f"no finding forbids this start; {bench.home}/bin/python: python" in err
    assert "ms-swift 4.5.2, vllm 0.23.0" in err
    assert not bench.left()
    assert not bench.logs.exists()


def test_preflight_only_looks_at_a_server_that_runs(bench):
    bench.running_server()
    code, _, err = end(bench.learner("preflight_only=true"))
    assert (code, "error[unknown-server]" in err) == (1, True)


# Memory


@pytest.fixture
def sized(look, tmp_path):
    """A look at a machine with GPUs of a size, and a checkpoint of which config.json is there."""

    def sized(side, gib):
        here = look(side)
        copy(CONFIGS / "qwen3-vl-4b.json", tmp_path / "model/config.json")
        return replace(here, gpus=tuple(gpu._replace(total=gib << 10) for gpu in FREE))

    return sized


def test_an_engine_that_has_no_room_for_a_sequence(sized):
    finding = only(sized("server", 9))
    assert (finding.rule, finding.severity) == ("engine-memory", Severity.WARNING)
    assert "the engine's share of a GPU" in finding.message
    assert ids(sized("server", 80)) == []


def test_a_learner_that_has_no_room_for_the_shortest_prompt(sized):
    finding = only(sized("learner", 9))
    assert (finding.rule, finding.severity) == ("learner-memory", Severity.WARNING)
    assert finding.message.endswith("no prompt is short enough to fit")
    assert ids(sized("learner", 80)) == []
