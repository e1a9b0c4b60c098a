"""The words KEY=VALUE that a launcher is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.split.gpus import Gpus
from schema.split.gpus import parse_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

_COMMON = (
    "config",
    "gpus",
    "dry_run",
    "preflight_only",
    "release_wait",
    "allow",
    "logs",
    "show",
    "swift",
    "python",
)

#: The keys of each launcher, in the order in which messages list them.
KEYS = {
    "server": _COMMON,
    "learner": (
        *("config", "gpus", "entry", "wait_timeout", "health_check", "weights_check", "trust_server"),
        *_COMMON[2:],
    ),
    "train": ("config", "gpus", "entry", "dry_run", "swift", "python"),
}


@dataclass(frozen=True)
class Wish:
    """What the operator asks a launcher for.

    Attributes:
        side: server, learner, or train: a learner that nobody watches.
        config: the preset.
        gpus: GPUs of this side.
        entry: a training repository's module for the learner, or None for the project's own, else ms-swift's.
        wait_timeout: seconds that the learner waits for the server.
        health_check: whether the learner looks at the server at all.
        weights_check: whether a learner on whose server no weights arrived counts as failed.
        trust_server: host and port of a server that was started elsewhere, or None.
        dry_run: print the command and start nothing.
        preflight_only: check this machine and start nothing.
        release_wait: seconds that an ended run has to give its GPUs' memory and its port back; a closed connection
            keeps a port for 60.
        allow: ids of findings that shall only warn.
        logs: where each start gets a folder.
        show: whether output is shown live.
        swift: the `swift` to run, or None for the one on PATH.
        python: the interpreter to run, or None for that of `swift` or `torchrun`.
    """

    side: str
    config: Path
    gpus: Gpus
    entry: str | None = None
    wait_timeout: float = 300
    health_check: bool = True
    weights_check: bool = True
    trust_server: tuple[str, int] | None = None
    dry_run: bool = False
    preflight_only: bool = False
    release_wait: float = 75
    allow: frozenset[str] = field(default_factory=frozenset)
    logs: Path = Path("logs/rollout-split")
    show: bool = True
    swift: str | None = None
    python: str | None = None


def read(side: str, words: Sequence[str]) -> Wish:
    """Reads a launcher's words.

    Raises:
        InputError: a word is not KEY=VALUE, its key is unknown or given twice, its value is wrong, or config or
            gpus is missing.
    """
    keys = KEYS[side]
    said: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch("[a-z_]+", key):
            raise InputError(f"{word!r} is not of the form key=value; the keys are: {' '.join(keys)}")
        if key not in keys:
            raise InputError(f"unknown key {key!r}; the keys are: {' '.join(keys)}")
        if key in said:
            raise InputError(f"{key!r} is given twice")
        said[key] = value
    for key in ("config", "gpus"):
        if not said.get(key):
            raise InputError(f"{key}=... is required; --help shows all keys")
    return Wish(side, **{key: _READERS[key](key, value) for key, value in said.items()})  # type: ignore[arg-type]


def _text(key: str, value: str) -> str:
    if not value:
        raise InputError(f"{key} is empty")
    return value


def _flag(key: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise InputError(f"{key} is {value!r}; it must be true or false")
    return value == "true"


def _seconds(key: str, value: str) -> float:
    if not re.fullmatch(r"[0-9]+([.][0-9]+)?", value):
        raise InputError(f"{key} is {value!r}; it must be a number of seconds")
    return float(value)


def _address(key: str, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port):
        raise InputError(f"{key} is {value!r}; it must be HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _show(key: str, value: str) -> bool:
    if value not in ("live", "quiet"):
        raise InputError(f"{key} is {value!r}; it must be live or quiet")
    return value == "live"


_READERS: dict[str, Callable[[str, str], object]] = {
    "config": lambda key, value: Path(_text(key, value)),
    "gpus": lambda _, value: parse_list(value),
    "entry": _text,
    "wait_timeout": _seconds,
    "health_check": _flag,
    "weights_check": _flag,
    "trust_server": _address,
    "dry_run": _flag,
    "preflight_only": _flag,
    "release_wait": _seconds,
    "allow": lambda _, value: frozenset(filter(None, value.split(","))),
    "logs": lambda key, value: Path(_text(key, value)),
    "show": _show,
    "swift": _text,
    "python": _text,
}
