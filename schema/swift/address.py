"""Where a rollout server listens: names of one machine, and the ports that this project and ms-swift choose."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple
from urllib.parse import urlsplit

from schema.resolve.tree import Branch

if TYPE_CHECKING:
    from schema.context import Context

#: By which a learner reaches a server on its own machine; the first two are one address.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: By which a server listens on every address of its machine.
ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - a name, not a listener
#: Where this project puts a server that nothing else places.
PORT = 8080
LAST_PORT = 65535
#: Where weights are synchronised by default (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184).
GROUP_PORT = 51216


def same_host(host: object, other: object) -> bool:
    """Whether two hosts are one address."""
    return host == other or (host in LOOPBACK[:2] and other in LOOPBACK[:2])


class Address(NamedTuple):
    """Where a server is."""

    host: str
    port: int

    def url(self, path: str = "") -> str:
        """The address of an endpoint; an IPv6 host gets its brackets."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}{path}"


def connection(context: Context) -> tuple[str | None, int | None]:
    """Where the learner connects; None for a host or a port that another finding wants changed.

    Base URLs beat host and port (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:51).
    """
    trainer = context.trainer.config
    hosts: list[str | None] = [*(trainer.vllm_server_host or ())]
    ports: list[int | None] = [*trainer.vllm_server_port]
    if (urls := trainer.vllm_server_base_url) is not None:
        hosts, ports = [_hostname(url) for url in urls], [_port(url) for url in urls]
    host = hosts[0] if len(hosts) == 1 else None
    port = ports[0] if len(ports) == 1 else None
    usable = port is not None and 1 <= port <= LAST_PORT and port != group(context)
    return host if host in LOOPBACK else None, port if usable else None


def wanted(context: Context) -> Address:
    """The address that all fixes name, so that none contradicts another: the learner's, else the server's."""
    host, port = connection(context)
    block = context.preset.block if context.preset.apart else None
    configured = (block.value("host"), block.value("port")) if isinstance(block, Branch) else (None, None)
    if host is None:
        host = configured[0] if isinstance(configured[0], str) and configured[0] in LOOPBACK else LOOPBACK[0]
    if port is None:
        free = next(port for port in (PORT, PORT + 1) if port != group(context))
        theirs = configured[1] if isinstance(configured[1], int) and 1 <= configured[1] <= LAST_PORT else free
        port = free if theirs == group(context) else theirs
    return Address(host, port)


def group(context: Context) -> int:
    """The port of the weight-sync group of one server."""
    value = context.trainer.config.vllm_server_group_port
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, int) else GROUP_PORT


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # no URL at all
        return None


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None
