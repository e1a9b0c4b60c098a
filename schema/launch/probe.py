"""Looking at ports and at a rollout server, on this machine, past any proxy."""

from __future__ import annotations

import errno
import json
import socket
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import ProxyHandler
from urllib.request import build_opener

#: Seconds that one request may take. `/health/` does not answer while the server generates.
REQUEST_TIMEOUT = 5.0

# Loopback is never reached through a proxy, whatever http_proxy says.
_OPENER = build_opener(ProxyHandler({}))


def bindable(port: int) -> bool:
    """Whether ms-swift would keep this port.

    The same test that ms-swift makes before it moves to the next port without a word (4.5.2,
    utils/utils.py find_free_port): bind on all addresses, without SO_REUSEADDR, so that a listener on any
    address and a lingering TIME_WAIT both count as taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def url(host: str, port: int, path: str) -> str:
    """The address of an endpoint; an IPv6 host gets its brackets."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"


def get(address: str, timeout: float = REQUEST_TIMEOUT) -> tuple[int, str] | None:
    """Status and body of a GET, or None if nobody answers HTTP there in time."""
    try:
        with _OPENER.open(address, timeout=timeout) as reply:
            return reply.status, reply.read(65536).decode("utf-8", "replace")
    except URLError as error:
        status = getattr(error, "code", None)
        return (status, "") if isinstance(status, int) else None
    except (OSError, HTTPException):
        return None


def healthy(host: str, port: int, timeout: float = REQUEST_TIMEOUT) -> bool:
    """Whether `/health/` answers 200; with its trailing slash, for without it ms-swift redirects."""
    reply = get(url(host, port, "/health/"), timeout)
    return reply is not None and reply[0] == 200


def world_size(host: str, port: int) -> int | None:
    """What `/get_world_size/` says, or None if it says nothing of the kind."""
    reply = get(url(host, port, "/get_world_size/"))
    if reply is None or reply[0] != 200:
        return None
    try:
        said = json.loads(reply[1])
    except ValueError:
        return None
    size = said.get("world_size") if isinstance(said, dict) else None
    return size if isinstance(size, int) else None
