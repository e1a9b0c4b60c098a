"""Looks at a machine that is fit for a start, to be changed by tests."""

import os

from launch.argv.plan import learner_plan
from launch.argv.plan import server_plan
from launch.machine import processes
from launch.preflight import Snapshot
from launch.state import Job
from schema import catalogue
from schema.split.gpus import parse_list
from schema.split.nvidia import Gpu
from tests.launch.bench import SMOKE
from tests.launch.bench import free_port
from tests.launch.test_plans import about

FREE = tuple(Gpu(str(number), f"GPU-{number}{number}-aa", 3, 143771) for number in range(4))
FIT = {"ms-swift": catalogue.newest(), "vllm": "0.23.0"}


def fit(folder, side="server", *edits, gpus="0,"):
    """A fit machine as one side finds it; edits change the preset."""
    (folder / "model").mkdir(exist_ok=True)
    ports = {"[8080]": f"[{free_port()}]\n  vllm_server_group_port: {free_port()}"}
    text = SMOKE.read_text()
    for old, new in {**ports, "build/smoke/model": str(folder / "model"), **dict(edits)}.items():
        assert old in text
        text = text.replace(old, new)
    preset = folder / "preset.yaml"
    preset.write_text(text)
    own = parse_list(gpus)
    context = about(preset, rollout=own) if side == "server" else about(preset, train=own)
    plan = server_plan(context, own) if side == "server" else learner_plan(context, own)
    return Snapshot(side, context, plan, {}, FREE, FIT, "python", "true")


def job(look, kind="server", gpus=("3",), **changes):
    """A job of this project that runs, with the server of a look; changes are those of its facts."""
    me = processes.read(os.getpid())
    server = look.server.model_copy(update=changes)
    return Job(
        kind=kind,
        pid=me.pid,
        started=me.started,
        launcher=me.pid,
        group=me.group,
        gpus=gpus,
        server=server,
        log="log",
    )
