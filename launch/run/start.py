"""All that one start needs, before anything runs."""

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
from launch.preflight import Snapshot
from schema.errors import InputError
from schema.printable import printable
from schema.secrets import starred
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from launch.argv.plan import Plan
    from launch.options import Request
    from launch.run.reporter import Reporter
    from launch.run.times import Times
    from launch.state import Job
    from launch.state import Kind
    from launch.toolchain import Toolchain
    from schema.context import Context

STARTERS = Path(__file__).parents[1] / "starters"
_SHOWN = {"host", "port", "tensor_parallel_size", "data_parallel_size", "vllm_max_model_len", "model"}


@dataclass(frozen=True)
class Start:
    """One start: what the operator asked for, the checked preset, this side's plan, and what runs it.

    Attributes:
        software: versions in the toolchain's environment, or None if they are unknown.
        key: the key of the server's routes, or None.
    """

    request: Request
    context: Context
    plan: Plan
    toolchain: Toolchain
    software: Mapping[str, str] | None
    key: str | None
    report: Reporter
    times: Times

    @cached_property
    def argv(self) -> tuple[str, ...]:
        """The command, with the operator's programs, and with the starter that passes on a key."""
        argv = self.plan.argv
        if self.key is None or self.context.preset.mode != "server":
            return self.toolchain.program(argv)
        if self.request.side == "server":
            if self.toolchain.python is None:
                raise InputError("a server with a key needs the path of its interpreter; pass --python PATH")
            return (self.toolchain.python, str(STARTERS / "rollout.py"), *argv[2:])
        module = argv.index("-m")
        starter = (*argv[:module], str(STARTERS / "learner.py"), *argv[module + 1 :])
        return self.toolchain.program(starter)

    @cached_property
    def environment(self) -> dict[str, str]:
        """All variables of the program that is started."""
        inherited = {
            name: value for name, value in os.environ.items() if name not in (*self.plan.unset, KEY_VARIABLE)
        }
        if self.key is not None and self.plan.facts is not None:
            inherited |= {KEY_VARIABLE: self.key, "ROLLOUT_SPLIT_ORIGIN": self.server.url()}
        return {**inherited, **self.plan.environment}

    @cached_property
    def server(self) -> Server:
        """Where the server listens."""
        return Server(self.plan.server.host, self.plan.server.port, self.key)

    def snapshot(self, side: str | None = None) -> Snapshot:
        """The state of this machine now."""
        return Snapshot(
            side or self.request.side,
            self.context,
            self.plan,
            {**os.environ, **self.plan.environment},
            nvidia.gpus(),
            self.software,
            self.toolchain.python,
            self.argv[0],
            tuple(state.jobs()),
            has_key=self.key is not None,
            trusted=self.request.trust_server is not None,
        )

    def job(self, kind: Kind, log: Path, *, pid: int | None = None, group: int = 0) -> Job:
        """The note that this start leaves; it describes this launcher unless `pid` is given."""
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

    def replace(self) -> NoReturn:
        """Replaces this process by the program.

        Raises:
            InputError: the program cannot be run.
        """
        try:
            os.execvpe(self.argv[0], self.argv, self.environment)  # noqa: S606 - a list of words, no shell
        except (OSError, ValueError) as error:
            raise unrunnable(self.argv[0], error) from error


def missing(program: str) -> InputError:
    """The error for a program that is not installed."""
    return InputError(f"{program} is not on PATH; install ms-swift and vLLM, or pass --swift or --python")


def unrunnable(program: str, error: OSError | ValueError) -> InputError:
    """The error for a program that does not start: it is not executable, or its arguments are too long."""
    if shutil.which(program) is None:
        return missing(program)
    return InputError(f"{program} cannot be run: {error.strerror if isinstance(error, OSError) else error}")
