"""Asking a rollout server over HTTP, on this machine, past any proxy."""

from __future__ import annotations

import contextlib
import json
import os
from http.client import HTTPConnection
from http.client import HTTPException
from typing import NamedTuple

from schema.swift.address import Address

#: Seconds that a request may take. `/health/` does not answer while the server generates.
REQUEST_TIMEOUT = 5.0
#: Seconds that one generated token may take: the first one compiles.
INFER_TIMEOUT = 180.0
#: Tokens of the fixed probe: enough to see small changes of the weights, few enough for any length limit.
PROBE_TOKENS = 8
#: The variable that gives both launchers the server's key, and hands it on to what they start.
KEY_VARIABLE = "ROLLOUT_SPLIT_API_KEY"


class Server(NamedTuple):
    """Where a rollout server listens.

    Attributes:
        host: its host.
        port: its port.
        key: what its routes ask for (ms-swift 4.6.0, pipelines/infer/rollout.py:737), or None.
    """

    host: str
    port: int
    key: str | None = None

    def __repr__(self) -> str:  # the key never reaches a log
        return f"Server({self.host!r}, {self.port})"

    def url(self, path: str = "") -> str:
        """The address of an endpoint."""
        return Address(self.host, self.port).url(path)

    def ask(
        self, path: str, body: object = None, timeout: float = REQUEST_TIMEOUT, *, post: bool = False
    ) -> tuple[int, str] | None:
        """Status and body of a request, or None if nobody answers HTTP there in time.

        This side closes first: a connection that the server closes lingers on its port, and ms-swift would then
        move away from it at the next start.
        """
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        connection = HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            with contextlib.closing(connection):
                method = "POST" if post else "GET"
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                reply = connection.getresponse()
                return reply.status, reply.read(1 << 20).decode("utf-8", "replace")
        except (OSError, HTTPException, ValueError):
            return None

    def healthy(self, timeout: float = REQUEST_TIMEOUT) -> bool:
        """Whether `/health/` answers 200; with its trailing slash, for without it ms-swift redirects."""
        reply = self.ask("/health/", timeout=timeout)
        return reply is not None and reply[0] == 200

    def world_size(self) -> int | None:
        """What `/get_world_size/` says, or None if it says nothing of the kind."""
        said = _json(self.ask("/get_world_size/"))
        size = said.get("world_size") if isinstance(said, dict) else None
        return size if isinstance(size, int) else None

    def refusal(self, timeout: float = INFER_TIMEOUT) -> str | None:
        """Why the server cannot generate, or None if one token came back within `timeout` seconds.

        A server without an engine answers `/health/` and `/get_world_size/` (ms-swift 4.6.0 with
        vllm_data_parallel_size 0); only `/infer/` tells.
        """
        reply = self._generate(1, timeout)
        if reply is None:
            return f"no answer within {timeout:g} seconds"
        if reply[0] != 200:
            return f"HTTP {reply[0]}: {reply[1][:200]}"
        return None if _choices(reply) else f"no completion in its answer: {reply[1][:200]}"

    def fingerprint(self) -> str | None:
        """What the weights answer to a fixed greedy prompt: tokens and log-probabilities; None if nothing."""
        choices = _choices(self._generate(PROBE_TOKENS))
        if not choices:
            return None
        return json.dumps([[choice.get("token_ids"), _logprobs(choice)] for choice in choices])

    def _generate(self, tokens: int, timeout: float = INFER_TIMEOUT) -> tuple[int, str] | None:
        body = {
            "infer_requests": [{"messages": [{"role": "user", "content": "One, two, three"}]}],
            "request_config": {
                "max_tokens": tokens,
                "temperature": 0.0,
                "seed": 0,
                "logprobs": True,
                "return_details": True,
            },
        }
        return self.ask("/infer/", body, timeout, post=True)


def api_key() -> str | None:
    """The key that this shell gives for the server's routes."""
    return os.environ.get(KEY_VARIABLE) or None


def _json(reply: tuple[int, str] | None) -> object:
    if reply is None or reply[0] != 200:
        return None
    try:
        return json.loads(reply[1])
    except ValueError:
        return None


def _choices(reply: tuple[int, str] | None) -> list[dict[str, object]]:
    said = _json(reply)
    first = said[0] if isinstance(said, list) and said else None
    # Releases before 3.10 answer the completion itself, later ones wrap it.
    response = first.get("response", first) if isinstance(first, dict) else None
    choices = response.get("choices") if isinstance(response, dict) else None
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _logprobs(choice: dict[str, object]) -> object:
    said = choice.get("logprobs")
    content = said.get("content") if isinstance(said, dict) else None
    return [token.get("logprob") for token in content if isinstance(token, dict)] if content else None
