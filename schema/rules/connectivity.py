"""Rules about how the learner finds the rollout server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.resolve.tree import Branch
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.address import ALL_ADDRESSES
from schema.swift.address import GROUP_PORT
from schema.swift.address import LAST_PORT
from schema.swift.address import LOOPBACK
from schema.swift.address import connection
from schema.swift.address import same_host
from schema.swift.address import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context


@rule("vllm-mode-unset", needs=("vllm_mode", "use_vllm"))
def vllm_mode_unset(context: Context) -> Iterator[Problem]:
    """vllm_mode and use_vllm contradict each other.

    ms-swift 4.5.2, arguments/rlhf_args.py:443-447: from 3.11.1 on vllm_mode has no default, and is required
    with use_vllm and refused without it.
    """
    trainer, explicit = context.trainer.config, context.preset.explicit_mode
    if trainer.use_vllm and trainer.vllm_mode is None and explicit is None:
        yield Problem(
            context.at("use_vllm"),
            "use_vllm is true, but vllm_mode is not set",
            f"{context.swift}: ValueError: vllm_mode is required when use_vllm is true",
            f"set {context.preset.path('vllm_mode')} to {context.preset.mode}",
        )
    if not trainer.use_vllm and explicit is not None:
        yield Problem(
            context.at("vllm_mode"),
            f"vllm_mode is {explicit}, but use_vllm is not true",
            f"{context.swift}: ValueError: vllm_mode is not supported when use_vllm is false"
            if context.release.trainer["vllm_mode"].default is None
            else f"{context.swift}: the learner generates with transformers, without a server",
            f"set {context.preset.path('use_vllm')} to true",
        )


def _to(context: Context, *names: str) -> str:
    """The fix that sets the learner's address, and the one in the server's own file if that differs."""
    preset, address = context.preset, wanted(context)
    values = {"host": address.host, "port": address.port}
    block = preset.block if preset.apart else None
    parts = []
    for name in names:
        value = block.value(name) if isinstance(block, Branch) else None
        differs = value not in (None, *ALL_ADDRESSES) and not same_host(value, values[name])
        also = f" and {preset.server_path(name)}" if differs else ""
        parts.append(f"{preset.path(f'vllm_server_{name}')}{also} to {preset.listed(values[name])}")
    return f"set {', and '.join(parts)}"


@rule("one-loopback-host", mode="server", needs=("vllm_server_host", "vllm_server_port", "vllm_server_base_url"))
def one_loopback_host(context: Context) -> Iterator[Problem]:
    """The server's address is not exactly one loopback host.

    This project runs one server on one node, and its launchers read host and port; ms-swift also accepts several
    servers, and URLs instead (4.5.2, rlhf_trainers/vllm_client.py:51-68). A plain string is read letter by
    letter when the arguments are passed as keywords (:66), and with neither host nor URL the learner stops at a
    bare assert (arguments/rlhf_args.py:452), or switches to colocate mode before 3.11.1.
    """
    trainer = context.trainer.config
    hosts, urls = trainer.vllm_server_host, trainer.vllm_server_base_url
    if urls is not None:
        yield Problem(
            context.at("vllm_server_base_url"),
            f"vllm_server_base_url is {urls!r}; this project needs host and port of one server on this node",
            f"{context.swift}: the learner connects there, whatever vllm_server_host and vllm_server_port say",
            f"remove it, and {_to(context, 'host', 'port')}"
            + ("" if None in connection(context) else " (`migrate-config --write` does it)"),
        )
    elif hosts is None:
        yield Problem(
            context.at("vllm_mode"),
            "vllm_mode is server, but vllm_server_host is not set",
            f"{context.swift}: AssertionError without a message"
            if context.release.trainer["vllm_mode"].default is None
            else f"{context.swift}: switches to colocate mode, with a warning",
            _to(context, "host"),
        )
    elif _several(context):
        yield Problem(
            context.at("vllm_server_host"),
            f"vllm_server_host is {hosts!r}; this project runs one server on one node",
            f"{context.swift}: the learner would connect to each of them",
            _to(context, "host", "port"),
        )
    elif len(hosts) != 1 or hosts[0] not in LOOPBACK:
        yield Problem(
            context.at("vllm_server_host"),
            f"vllm_server_host is {hosts!r}; it must be exactly one of {', '.join(LOOPBACK)}",
            f"{context.swift}: the learner would connect there; this project runs one server on one node",
            _to(context, "host"),
        )


def _several(context: Context) -> bool:
    # As many ports as hosts are as many servers, which one-loopback-host reports.
    hosts, ports = context.trainer.config.vllm_server_host, context.trainer.config.vllm_server_port
    return hosts is not None and 1 < len(hosts) == len(ports)


@rule("one-port", mode="server", needs=("vllm_server_port", "vllm_server_host", "vllm_server_base_url"))
def one_port(context: Context) -> Iterator[Problem]:
    """The server's port is not a list of exactly one port.

    ms-swift needs as many ports as hosts (4.5.2, rlhf_trainers/vllm_client.py:66); the default is [8000]
    (rlhf_trainers/args_mixin.py:177).
    """
    trainer = context.trainer.config
    ports = trainer.vllm_server_port
    if trainer.vllm_server_base_url is not None or _several(context):
        return
    if len(ports) != 1 or not 1 <= ports[0] <= LAST_PORT:
        alike = len(ports) == len(trainer.vllm_server_host or "1")
        yield Problem(
            context.at("vllm_server_port"),
            f"vllm_server_port is {ports!r}; it must be exactly one port from 1 to {LAST_PORT}",
            f"{context.swift}: "
            + ("no connection" if alike else "ValueError: host and server_port must have same length"),
            _to(context, "port"),
        )


@rule("group-port", mode="server", needs=("vllm_server_host", "vllm_server_port", "vllm_server_group_port"))
def group_port(context: Context) -> Iterator[Problem]:
    """The port of the weight-sync group is not exactly one port, or is the server's own.

    The server binds it on its host (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184-193), 51216 by default; a
    list must be as long as the list of servers. Before 3.11.0 the port cannot be set.
    """
    value, name = context.trainer.config.vllm_server_group_port, "vllm_server_group_port"
    if value is None or context.preset.value(name) is None or name not in context.release.trainer:
        yield from _default_group_port(context)
        return
    ports, server = value if isinstance(value, list) else [value], context.trainer.config.vllm_server_port
    if _several(context) and len(ports) in (1, len(server)) and not {*ports} & {*server}:
        return  # one-loopback-host reports several servers
    if len(ports) != 1 or not 1 <= ports[0] <= LAST_PORT or ports == server:
        free = GROUP_PORT if server != [GROUP_PORT] else GROUP_PORT + 1
        yield Problem(
            context.at("vllm_server_group_port"),
            f"vllm_server_group_port is {value!r}; it must be exactly one port from 1 to {LAST_PORT}, other than"
            f" vllm_server_port {server!r}",
            f"{context.swift}: ValueError: group_port must be int or list of length num_servers"
            if len(ports) != 1
            else f"{context.swift}: the weight-sync group cannot be opened; both sides hang or die",
            f"set it to {context.preset.listed(free)}" + (", or remove it" if free == GROUP_PORT else ""),
        )


def _default_group_port(context: Context) -> Iterator[Problem]:
    trainer = context.trainer.config
    if trainer.vllm_server_port == [GROUP_PORT] and trainer.vllm_server_base_url is None:
        yield Problem(
            context.at("vllm_server_port"),
            f"vllm_server_port is {GROUP_PORT}, which is also the port of the weight-sync group",
            f"{context.swift}: the weight-sync group cannot be opened; both sides hang or die",
            _to(context, "port"),
        )


@rule("async-generate", needs=("async_generate", "vllm_mode"))
def async_generate(context: Context) -> Iterator[Problem]:
    """async_generate is on outside server mode, or in a release that crashes with it.

    ms-swift 4.5.2, arguments/rlhf_args.py:454-458. 4.4.0 and 4.4.1 treat rows as if they were samples already
    (4.4.1, rlhf_trainers/rollout_mixin.py:1622 _prefetch; 4.4.2 converts them to samples, #9775).
    """
    trainer = context.trainer.config
    if trainer.async_generate and context.release.version in ("4.4.0", "4.4.1"):
        yield Problem(
            context.at("async_generate"),
            "async_generate is true, and this release crashes with it",
            f"{context.swift}: AttributeError before the first step{context.late}",
            "remove it, or use ms-swift 4.4.2 or newer",
        )
    if trainer.async_generate and context.preset.mode != "server":
        yield Problem(
            context.at("async_generate"),
            f"async_generate is true, but vllm_mode is {context.preset.mode!r}",
            f"{context.swift}: AssertionError: async generate require vllm_mode == server",
            "remove it, or set vllm_mode to server",
        )
