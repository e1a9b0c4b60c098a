"""The launch plan of each side: its GPUs, its server, its environment, its command."""

from __future__ import annotations

import os
import shlex
import string
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from launch.argv import arguments
from launch.argv.facts import own_variables
from launch.argv.facts import server_facts
from schema import secrets
from schema.errors import InputError
from schema.printable import printable
from schema.swift.variables import DISTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launch.argv.facts import ServerFacts
    from schema.context import Context
    from schema.split.gpus import Gpus

#: Characters that need no escape between $' and '.
_PLAIN = {" ", *string.ascii_letters, *string.digits, *string.punctuation} - {"'", "\\"}


@dataclass(frozen=True)
class Plan:
    """What a launcher runs.

    Attributes:
        gpus: the GPUs of this side, as the operator named them.
        facts: of the server, or None in colocate mode.
        environment: variables that the command gets.
        unset: variables that it must not inherit.
        argv: the command.
    """

    gpus: tuple[str, ...] = ()
    facts: ServerFacts | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = DISTRIBUTED
    argv: tuple[str, ...] = ()

    @property
    def server(self) -> ServerFacts:
        """What identifies the server.

        Raises:
            InputError: there is none in colocate mode.
        """
        if self.facts is None:
            raise InputError("the preset is not in server mode; `rollout-split train` runs it")
        return self.facts

    def command_line(self) -> str:
        """The command as a person would type it in this shell, with secrets starred."""
        inherited = [f"-u {name}" for name in self.unset if name in os.environ]
        hidden = {name: str(secrets.hidden(value, name)) for name, value in self.environment.items()}
        variables = [f"{name}={_quoted(value)}" for name, value in hidden.items()]
        command = [_quoted(word) for word in secrets.command(self.argv)]
        return " ".join([*(["env", *inherited] if inherited else []), *variables, *command])


def server_plan(context: Context, gpus: Gpus) -> Plan:
    """What the server's launcher runs on its GPUs, of a preset without errors.

    Raises:
        InputError: the preset is not in server mode, so there is no server to start.
    """
    if context.preset.mode != "server":
        raise InputError(
            f"vllm_mode is {context.preset.mode!r}: there is no rollout server to start; run"
            " `rollout-split train` alone, or migrate the preset",
            context.at("vllm_mode"),
        )
    environment = _variables(context, "server", gpus)
    return Plan(gpus.ids, server_facts(context), environment, argv=arguments.server(context))


def learner_plan(context: Context, gpus: Gpus, entry: str | None = None) -> Plan:
    """What the learner's launcher runs on its GPUs, of a preset without errors, in either mode.

    It runs ms-swift's own entry point, or `entry`, the module of a training repository.

    Raises:
        InputError: entry is not the name of a module, or the preset asks for learners on several nodes, as
            `swift rlhf` starts them (ms-swift 4.5.2, cli/main.py:78).
    """
    if (nodes := context.preset.nodes_wanted) != "1":
        raise InputError(
            f"NNODES is {nodes}, but this command starts the learners of one node; remove NNODES, or start the"
            " preset with `swift rlhf` on each node",
            context.preset.start,
        )
    if entry is None:
        command = arguments.learner(context, gpus.count)
    else:
        command = arguments.repository_learner(context.preset, gpus.count, _module(entry))
    facts = server_facts(context) if context.preset.mode == "server" else None
    environment = _variables(context, "learner", gpus)
    if facts is not None:
        environment |= _proxy_exemption(facts.host)
    return Plan(gpus.ids, facts, environment, argv=command)


def _module(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{name!r} is not the name of a Python module, such as my_repo.train")
    return name


def _variables(context: Context, side: str, gpus: Gpus) -> dict[str, str]:
    """The variables of the preset's own ENV, and those that the launcher's options set.

    From ms-swift 4.2.2 on the shell's value wins; before, the preset's wins (4.5.2, cli/main.py:53-59). A learner
    keeps a copy of the file in SWIFT_CONFIG_FILE beside its checkpoints (base_args.py:311).
    """
    variables = own_variables(context, side)
    if not context.older("4.2.2"):
        variables = {name: value for name, value in variables.items() if name not in os.environ}
    if context.preset.apart and side == "learner":
        variables["SWIFT_CONFIG_FILE"] = str(context.preset.resolved.path)
    return variables | {"CUDA_VISIBLE_DEVICES": ",".join(gpus.ids)}


def _proxy_exemption(host: str) -> dict[str, str]:
    """The variables that keep the learner's requests to the server away from a proxy, if this shell names one.

    ms-swift asks through `requests`, which follows http_proxy even to loopback: the learner would wait for
    the whole vllm_server_timeout (4.5.2, rlhf_trainers/vllm_client.py:73-84).
    """
    if not proxies(os.environ):
        return {}
    existing = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join([*filter(None, [existing]), host])
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def _quoted(word: str) -> str:
    """A word for bash; bytes of a path that are not printable are escaped, so that bash restores each."""
    if printable(word) == word:
        return shlex.quote(word)
    escaped = (chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in os.fsencode(word))
    return f"$'{''.join(escaped)}'"


def proxies(environment: Mapping[str, str]) -> list[str]:
    """The variables that name a proxy for HTTP, as `requests` reads them."""
    return [name for name in environment if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]
