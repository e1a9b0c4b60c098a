"""Rules about how the learner finds the rollout server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context

LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Where weights are synchronised by default (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184).
GROUP_PORT = 51216


@rule("vllm-mode-unset", needs=("vllm_mode", "use_vllm"))
def vllm_mode_unset(context: Context) -> Iterator[Problem]:
    """vllm_mode and use_vllm that contradict each other.

    ms-swift 4.5.2, arguments/rlhf_args.py:443-447: from 3.11.1 on vllm_mode has no default, and is required
    with use_vllm and refused without.
    """
    trainer = context.trainer.config
    required = context.release.trainer["vllm_mode"].default is None
    if trainer.use_vllm and trainer.vllm_mode is None and required:
        yield Problem(
            context.at("use_vllm"),
            "use_vllm is true, but vllm_mode is not set",
            f"{context.swift}: ValueError: vllm_mode is required when use_vllm is true",
            f"set {context.preset.path('vllm_mode')} to server or colocate",
        )
    if not trainer.use_vllm and trainer.vllm_mode is not None:
        yield Problem(
            context.at("vllm_mode"),
            f"vllm_mode is {trainer.vllm_mode}, but use_vllm is not true",
            f"{context.swift}: ValueError: vllm_mode is not supported when use_vllm is false"
            if required
            else f"{context.swift}: the learner generates with transformers, without a server",
            f"set {context.preset.path('use_vllm')} to true",
        )


@rule("one-loopback-host", mode="server", needs=("vllm_server_host", "vllm_server_base_url"))
def one_loopback_host(context: Context) -> Iterator[Problem]:
    """The server's host: a list of exactly one loopback name.

    One node, one server is what this project runs. A plain string is read letter by letter when the
    arguments are passed as keywords (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:66), and without a host
    the learner stops at a bare assert (arguments/rlhf_args.py:452), or switches to colocate mode before 3.11.1.
    """
    trainer = context.trainer.config
    fix = f"set {context.preset.path('vllm_server_host')} to {context.preset.listed('127.0.0.1')}"
    if trainer.vllm_server_base_url is not None:
        yield Problem(
            context.at("vllm_server_base_url"),
            f"vllm_server_base_url is {trainer.vllm_server_base_url!r}; it beats host and port",
            f"{context.swift}: the learner connects there, whatever vllm_server_host and _port say",
            f"remove it and {fix}",
        )
    hosts = trainer.vllm_server_host
    if hosts is None:
        yield Problem(
            context.at("vllm_mode"),
            "vllm_mode is server, but vllm_server_host is not set",
            f"{context.swift}: AssertionError without a message"
            if context.release.trainer["vllm_mode"].default is None
            else f"{context.swift}: switches to colocate mode, with a warning",
            fix,
        )
    elif len(hosts) != 1 or hosts[0] not in LOOPBACK:
        yield Problem(
            context.at("vllm_server_host"),
            f"vllm_server_host is {hosts!r}; it must be exactly one of {', '.join(LOOPBACK)}",
            f"{context.swift}: the learner would connect there; only a server on this node is supported",
            fix,
        )


@rule("one-port", mode="server", needs=("vllm_server_port",))
def one_port(context: Context) -> Iterator[Problem]:
    """The server's port: a list of exactly one port.

    As many ports as hosts (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:66); the default is [8000]
    (rlhf_trainers/args_mixin.py:177).
    """
    ports = context.trainer.config.vllm_server_port
    if len(ports) != 1 or not 1 <= ports[0] <= 65535:
        yield Problem(
            context.at("vllm_server_port"),
            f"vllm_server_port is {ports!r}; it must be exactly one port from 1 to 65535",
            f"{context.swift}: ValueError: host and server_port must have same length, or no connection",
            f"set {context.preset.path('vllm_server_port')} to {context.preset.listed(8080)}",
        )


@rule("group-port", mode="server", needs=("vllm_server_port", "vllm_server_group_port"))
def group_port(context: Context) -> Iterator[Problem]:
    """The port of the weight-sync group: one free port, other than the server's own.

    The server binds it on its host (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184-193), 51216 where nothing
    else is said; a list must be as long as the list of servers.
    """
    said = context.trainer.config.vllm_server_group_port
    if said is None:
        yield from _default_group_port(context)
        return
    ports = said if isinstance(said, list) else [said]
    if len(ports) != 1 or not 1 <= ports[0] <= 65535 or ports == context.trainer.config.vllm_server_port:
        yield Problem(
            context.at("vllm_server_group_port"),
            f"vllm_server_group_port is {said!r}; it must be exactly one port from 1 to 65535, other than"
            f" vllm_server_port {context.trainer.config.vllm_server_port!r}",
            f"{context.swift}: the weight-sync group cannot be opened; both sides hang or die",
            f"set it to {context.preset.listed(51216)}, or remove it",
        )


def _default_group_port(context: Context) -> Iterator[Problem]:
    if context.trainer.config.vllm_server_port == [GROUP_PORT]:
        yield Problem(
            context.at("vllm_server_port"),
            f"vllm_server_port is {GROUP_PORT}, which is the port of the weight-sync group, too",
            f"{context.swift}: the weight-sync group cannot be opened; both sides hang or die",
            f"set {context.preset.path('vllm_server_port')} to {context.preset.listed(8080)}",
        )


@rule("async-generate", needs=("async_generate", "vllm_mode"))
def async_generate(context: Context) -> Iterator[Problem]:
    """async_generate outside server mode, or in a release that crashes with it.

    ms-swift 4.5.2, arguments/rlhf_args.py:454-458. 4.4.0 and 4.4.1 prepare rows as if they were samples already
    (4.4.1, rlhf_trainers/rollout_mixin.py:1622 _prefetch; 4.4.2 makes samples of them, #9775).
    """
    trainer = context.trainer.config
    if trainer.async_generate and context.release.version in ("4.4.0", "4.4.1"):
        yield Problem(
            context.at("async_generate"),
            "async_generate is true, which this release crashes with",
            f"{context.swift}: AttributeError before the first step{context.late}",
            "remove it, or use ms-swift 4.4.2 or newer",
        )
    if trainer.async_generate and trainer.vllm_mode != "server":
        yield Problem(
            context.at("async_generate"),
            f"async_generate is true, but vllm_mode is {trainer.vllm_mode!r}",
            f"{context.swift}: AssertionError: async generate require vllm_mode == server",
            "remove it, or set vllm_mode to server",
        )
