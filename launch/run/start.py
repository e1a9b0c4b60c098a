"""Everything that one start is made of, before anything runs."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from launch import state
from launch.machine import processes
from launch.machine.rollout import KEY_VARIABLE
from launch.machine.rollout import Server
from launch.preflight import Look
from schema.errors import InputError
from schema.printable import printable
from schema.secrets import starred
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launch.argv.plan import Plan
    from launch.options import Request
    from launch.run.times import Times
    from launch.run.voice import Voice
    from launch.state import Job
    from launch.state import Kind
    from launch.toolchain import Toolchain
    from schema.context import Context

STARTERS = Path(__file__).parents[1] / "starters"
_SHOWN = {"host", "port", "tensor_parallel_size", "data_parallel_size", "vllm_max_model_len", "model"}


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        request: what the operator asked for.
        context: the preset, checked.
        plan: of this side.
        toolchain: the programs that run it.
        software: versions in their environment, or None if they are not known.
        key: of the server's routes, or None.
        voice: says what happens.
        times: how long to wait for what.
    """

    request: Request
    context: Context
    plan: Plan
    toolchain: Toolchain
    software: Mapping[str, str] | None
    key: str | None
    voice: Voice
    times: Times

    @cached_property
    def argv(self) -> tuple[str, ...]:
        """The command, with the operator's programs, and the key's starter where there is a key."""
        argv = self.plan.argv
        if self.key is None or self.context.preset.mode != "server":
            return self.toolchain.program(argv)
        if self.request.side == "server":
            if self.toolchain.python is None:
                raise InputError("a server with a key is started by its interpreter: --python PATH names it")
            return (self.toolchain.python, str(STARTERS / "rollout.py"), *argv[2:])
        module = argv.index("-m")
        starter = (*argv[:module], str(STARTERS / "learner.py"), *argv[module + 1 :])
        return self.toolchain.program(starter)

    @cached_property
    def environment(self) -> dict[str, str]:
        """All variables of what is started."""
        kept = {name: value for name, value in os.environ.items() if name not in (*self.plan.unset, KEY_VARIABLE)}
        if self.key is not None and self.plan.facts is not None:
            kept |= {KEY_VARIABLE: self.key, "ROLLOUT_SPLIT_ORIGIN": self.server.url()}
        return {**kept, **self.plan.environment}

    @cached_property
    def server(self) -> Server:
        """Where the server listens."""
        return Server(self.plan.server.host, self.plan.server.port, self.key)

    def look(self, side: str | None = None) -> Look:
        """Looks at this machine."""
        return Look(
            side or self.request.side,
            self.context,
            self.plan,
            {**os.environ, **self.plan.environment},
            nvidia.gpus(),
            self.software,
            self.toolchain.python,
            self.argv[0],
            tuple(state.jobs()),
            keyed=self.key is not None,
            trusted=self.request.trust_server is not None,
        )

    def job(self, kind: Kind, log: Path, *, pid: int | None = None, group: int = 0) -> Job:
        """The note that this start leaves; it stands for this launcher unless `pid` is given."""
        process = processes.read(os.getpid() if pid is None else pid)
        return state.Job(
            kind=kind,
            pid=process.pid if process else 0,
            started=process.started if process else 0,
            launcher=os.getpid(),
            group=group,
            gpus=self.plan.gpus,
            server=self.plan.server,
            log=str(log),
        )

    def show_facts(self) -> None:
        """Prints what both sides agree on, for the person at the terminal."""
        facts = self.plan.server.model_dump(include=_SHOWN, exclude_none=True)
        for name, value in {**facts, "gpus": ",".join(self.plan.gpus)}.items():
            print(printable(starred(f"{name:<20} {value}")), file=sys.stderr)

    def replace(self) -> None:
        """Becomes the program; returns only by raising.

        Raises:
            InputError: it cannot be run.
        """
        try:
            os.execvpe(self.argv[0], self.argv, self.environment)  # noqa: S606 - a list of words, no shell
        except (OSError, ValueError) as error:
            raise unrunnable(self.argv[0], error) from error


def missing(program: str) -> InputError:
    """The error that a program cannot be run."""
    return InputError(f"{program} is not on PATH; install ms-swift and vLLM, or give --swift or --python")


def unrunnable(program: str, error: OSError | ValueError) -> InputError:
    """The error that a program is there and does not start: no program after all, or words that are too long."""
    if shutil.which(program) is None:
        return missing(program)
    return InputError(f"{program} cannot be run: {error.strerror if isinstance(error, OSError) else error}")
