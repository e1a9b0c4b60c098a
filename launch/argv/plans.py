"""From a checked preset to the launch plan of each side."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from launch.argv import arguments as argv
from launch.argv.plan import Plan
from launch.argv.plan import proxies
from schema.errors import InputError
from schema.split.gpus import server_size
from schema.swift.address import group
from schema.swift.variables import DISTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.context import Context
    from schema.split.gpus import Gpus


#: Variables that the launcher's options settle, whatever a preset says.
_SETTLED = ("CUDA_VISIBLE_DEVICES", *DISTRIBUTED)


def server_plan(context: Context, gpus: Gpus) -> Plan:
    """What the server's launcher runs.

    Args:
        context: a preset without errors.
        gpus: the server's, by id.

    Raises:
        InputError: the preset is not in server mode, so there is no server to start.
    """
    _require_server(context)
    ids = ",".join(gpus.ids)
    facts = server_facts(context) | {"gpus": ids}
    environment = _own_variables(context, "server") | {"CUDA_VISIBLE_DEVICES": ids}
    return Plan(facts, environment, argv=argv.server(context))


def learner_plan(context: Context, gpus: Gpus, entry: str | None = None) -> Plan:
    """What the learner's launcher runs: ms-swift's own entry point, or a training repository's.

    Args:
        context: a preset without errors, in either mode.
        gpus: the learner's, by id.
        entry: the training repository's module, or None for ms-swift's own.

    Raises:
        InputError: entry is no module's name.
    """
    ids = ",".join(gpus.ids)
    if entry is None:
        command = argv.learner(context, gpus.count)
    else:
        command = argv.repository_learner(context.preset, gpus.count, _module(entry))
    facts = server_facts(context) if context.preset.mode == "server" else _model(context)
    facts |= {"gpus": ids, "learners": str(gpus.count)}
    environment = _own_variables(context, "learner") | {"CUDA_VISIBLE_DEVICES": ids}
    if "host" in facts:
        environment |= _past_proxies(facts["host"])
    return Plan(facts, environment, argv=command)


def _module(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{name!r} is no name of a Python module, such as my_repo.train")
    return name


def _own_variables(context: Context, side: str) -> dict[str, str]:
    """What the preset's own ENV sets, less GPUs and processes, which the launcher's options settle.

    From ms-swift 4.2.2 on the shell's value wins, before it loses (4.5.2, cli/main.py:53-59). With a config file
    in SWIFT_CONFIG_FILE the learner keeps a copy of it beside what it trains (base_args.py:311).
    """
    said = {name: value for name, value in context.preset.variables(side).items() if name not in _SETTLED}
    if not context.older("4.2.2"):
        said = {name: value for name, value in said.items() if name not in os.environ}
    if context.preset.apart and side == "learner":
        said["SWIFT_CONFIG_FILE"] = str(context.preset.resolved.path)
    return said


def _past_proxies(host: str) -> dict[str, str]:
    """What keeps the learner's requests to the server away from a proxy, if this shell names one.

    ms-swift asks through `requests`, which follows http_proxy even to loopback: the learner would wait for
    the whole vllm_server_timeout (4.5.2, rlhf_trainers/vllm_client.py:73-84).
    """
    if not proxies(os.environ):
        return {}
    kept = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    both = ",".join([*filter(None, [kept]), host])
    return {"no_proxy": both, "NO_PROXY": both}


def server_facts(context: Context) -> dict[str, str]:
    """What identifies the server: address, size, length, model, and a digest of all its settings.

    Raises:
        InputError: the preset names no address for it, or has no settings of it.
    """
    if context.server is None or not context.server.complete:
        raise InputError("has no settings of a server that could be started", context.at("vllm_mode"))
    config, address = context.server.config, argv.address(context)
    return {
        "host": address.host,
        "port": str(address.port),
        "group_port": str(group(context)),
        "tensor_parallel_size": str(config.vllm_tensor_parallel_size),
        "data_parallel_size": str(config.vllm_data_parallel_size),
        "world_size": str(server_size(context.preset)),
        **({"vllm_max_model_len": str(config.vllm_max_model_len)} if config.vllm_max_model_len else {}),
        "digest": _digest(argv.server(context), context.preset.variables("server")),
        **_model(context),
    }


def _model(context: Context) -> dict[str, str]:
    return {"model": str(context.preset.value("model"))}


def _require_server(context: Context) -> None:
    if context.preset.mode != "server":
        raise InputError(
            f"vllm_mode is {context.preset.mode!r}: there is no rollout server to start; run"
            " `rollout-split train` alone, or migrate the preset",
            context.at("vllm_mode"),
        )


def _digest(command: tuple[str, ...], variables: Mapping[str, str]) -> str:
    own = [f"{name}={value}" for name, value in sorted(variables.items()) if name not in _SETTLED]
    return hashlib.sha256(json.dumps([*command, *own]).encode()).hexdigest()[:16]
