"""The rule about where a teacher's server listens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import TypeAlias
from urllib.parse import urlsplit

from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift.address import ALL_ADDRESSES
from schema.swift.address import GROUP_PORT
from schema.swift.address import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.models.trainer import TrainerConfig

_PORTS = {"http": 80, "https": 443}


@rule("teacher-address", mode="server", needs=("vllm_server_host", "vllm_server_port", "vllm_server_base_url"))
def teacher_address(context: Context) -> Iterator[Problem]:
    """A teacher's server has the address of the rollout server, or of the weight sync.

    The teacher is a separate `swift deploy` (ms-swift 4.4.0 to 4.6.0; 4.5.2,
    rlhf_trainers/rollout_mixin.py:220): at the rollout server's address the student would be its own teacher.
    The value is one URL, or JSON of several (rlhf_trainers/gkd_helpers.py:257).
    """
    setting = context.preset.arguments.get("teacher_model_server")
    if setting is None or not context.values.teacher:
        return
    rollout, group = _addresses(context.trainer.config)
    for url in _teachers(setting.value):
        if (there := _address(url)) in rollout | group:
            what = "the rollout server listens" if there in rollout else "the weights are synchronised"
            yield Problem(
                setting.place,
                f"{setting.path} is {url}, where {what}",
                f"{context.swift}: the student would be its own teacher, or one of the two cannot start",
                "give the teacher its own port",
            )


_Address: TypeAlias = tuple[str, int]


def _addresses(trainer: TrainerConfig) -> tuple[set[_Address], set[_Address]]:
    hosts, ports = trainer.vllm_server_host or [], trainer.vllm_server_port
    group = trainer.vllm_server_group_port
    groups = [group] if isinstance(group, int) else group or [GROUP_PORT + more for more in range(len(hosts))]
    servers = {(_name(host), port) for host, port in zip(hosts, ports, strict=False)}
    urls = {there for url in trainer.vllm_server_base_url or [] if (there := _address(url))}
    return urls or servers, {(_name(host), port) for host, port in zip(hosts, groups, strict=False)}


def _teachers(value: object) -> list[str]:
    # A list of mappings was read by the parser already.
    items: object = value
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            items = json.loads(value)
        except ValueError:
            return []
    found = items if isinstance(items, list) else [items]
    return [str(item.get("url")) if isinstance(item, dict) else str(item) for item in found]


def _address(url: str) -> _Address | None:
    try:
        parts = urlsplit(url.strip())
        return (_name(parts.hostname), parts.port or _PORTS.get(parts.scheme, 0)) if parts.hostname else None
    except ValueError:  # the port is not a number, or out of range
        return None


def _name(host: str) -> str:
    return LOOPBACK[0] if host in (*LOOPBACK, *ALL_ADDRESSES) else host.lower()
