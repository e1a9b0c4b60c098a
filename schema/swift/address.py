"""Where a rollout server listens: names of one machine, and the ports that this project and ms-swift choose."""

from __future__ import annotations

#: By which a learner reaches a server on its own machine; the first two are one address.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: By which a server listens on every address of its machine.
ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - a name, not a listener
#: Where this project puts a server that nothing else places.
PORT = 8080
LAST_PORT = 65535
#: Where weights are synchronised by default (ms-swift 4.5.2, rlhf_trainers/vllm_client.py:184).
GROUP_PORT = 51216


def same(one: object, other: object) -> bool:
    """Whether two hosts are one address."""
    return one == other or (one in LOOPBACK[:2] and other in LOOPBACK[:2])
