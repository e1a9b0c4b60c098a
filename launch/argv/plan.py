"""The launch plan of one side: its GPUs, its server, its environment, its command."""

from __future__ import annotations

import os
import shlex
import string
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from schema import secrets
from schema.errors import InputError
from schema.printable import printable
from schema.swift.variables import DISTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launch.argv.facts import ServerFacts

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


def _quoted(word: str) -> str:
    """A word for bash; bytes of a path that are not printable are escaped, so that bash restores each."""
    if printable(word) == word:
        return shlex.quote(word)
    escaped = (chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in os.fsencode(word))
    return f"$'{''.join(escaped)}'"


def proxies(environment: Mapping[str, str]) -> list[str]:
    """The variables that name a proxy for HTTP, as `requests` reads them."""
    return [name for name in environment if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]
