"""Requests to a rollout server on this machine, over HTTP and past any proxy."""

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
#: Seconds that one generated token may take: before the first one vLLM may compile.
INFER_TIMEOUT = 180.0
#: Tokens of the fixed prompt's answer: enough to show small changes of the weights, few enough for any limit.
PROBE_TOKENS = 8
#: The variable that gives both launchers the server's key, and by which they pass it on.
KEY_VARIABLE = "ROLLOUT_SPLIT_API_KEY"


class Server(NamedTuple):
    """Where a rollout server listens, and the key that its routes require, or None.

    ms-swift 4.6.0, pipelines/infer/rollout.py:737.
    """

    host: str
    port: int
    key: str | None = None

    def __repr__(self) -> str:  # the key never reaches a log
        return f"Server({self.host!r}, {self.port})"

    def url(self, path: str = "") -> str:
        """The URL of an endpoint."""
        return Address(self.host, self.port).url(path)

    def request(
        self, path: str, body: object = None, timeout: float = REQUEST_TIMEOUT, *, post: bool = False
    ) -> tuple[int, str] | None:
        """Status and body of the answer to a request, or None if no HTTP answer comes in time.

        This side closes the connection first: one that the server closes lingers on its port, and ms-swift would
        move to another port at the next start.
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
        """Whether `/health/` answers 200. It needs its trailing slash, because ms-swift redirects without it."""
        reply = self.request("/health/", timeout=timeout)
        return reply is not None and reply[0] == 200

    def world_size(self) -> int | None:
        """The world size that `/get_world_size/` answers, or None if it answers none."""
        body = _body(self.request("/get_world_size/"))
        size = body.get("world_size") if isinstance(body, dict) else None
        return size if isinstance(size, int) else None

    def generation_error(self, timeout: float = INFER_TIMEOUT) -> str | None:
        """Why the server cannot generate, or None if one token came back within `timeout` seconds.

        A server without an engine answers `/health/` and `/get_world_size/` (ms-swift 4.6.0 with
        vllm_data_parallel_size 0); only `/infer/` shows it.
        """
        reply = self._generate(1, timeout)
        if reply is None:
            return f"no answer within {timeout:g} seconds"
        if reply[0] != 200:
            return f"HTTP {reply[0]}: {reply[1][:200]}"
        return None if _choices(reply) else f"no completion in its answer: {reply[1][:200]}"

    def fingerprint(self) -> str | None:
        """The answer to a fixed greedy prompt, tokens and log-probabilities, as text; None if there is none."""
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
        return self.request("/infer/", body, timeout, post=True)


def api_key() -> str | None:
    """The key of the server's routes, from this shell."""
    return os.environ.get(KEY_VARIABLE) or None


def _body(reply: tuple[int, str] | None) -> object:
    if reply is None or reply[0] != 200:
        return None
    try:
        return json.loads(reply[1])
    except ValueError:
        return None


def _choices(reply: tuple[int, str] | None) -> list[dict[str, object]]:
    results = _body(reply)
    first = results[0] if isinstance(results, list) and results else None
    # Releases before 3.10 answer with the completion itself, later ones wrap it.
    response = first.get("response", first) if isinstance(first, dict) else None
    choices = response.get("choices") if isinstance(response, dict) else None
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _logprobs(choice: dict[str, object]) -> object:
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [token.get("logprob") for token in content if isinstance(token, dict)] if content else None
