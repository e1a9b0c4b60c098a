"""The launch plan of one side: who it talks to, its environment, its command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

#: Variables of a distributed launch that must not leak from the caller's shell into either side: with RANK
#: and LOCAL_RANK set `swift rollout` starts DDP (ms-swift 4.5.2, arguments/base_args/base_args.py).
DISTRIBUTED = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "NPROC_PER_NODE",
    "NNODES",
    "NODE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
)


@dataclass(frozen=True)
class Plan:
    """What a launcher runs.

    Attributes:
        facts: what the launcher prints before it starts, and looks things up in.
        environment: variables that the command gets.
        unset: variables that it must not inherit.
        argv: the command.
    """

    facts: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = DISTRIBUTED
    argv: tuple[str, ...] = ()

    def words(self) -> Iterator[str]:
        """The plan for scripts: `fact NAME=VALUE`, `set NAME=VALUE`, `unset NAME`, then `--` and the command."""
        yield from (f"fact {name}={value}" for name, value in self.facts.items())
        yield from (f"unset {name}" for name in self.unset)
        yield from (f"set {name}={value}" for name, value in self.environment.items())
        yield "--"
        yield from self.argv

    def shown(self) -> str:
        """The command as a person would type it."""
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        return " ".join([*variables, shlex.join(self.argv)])
