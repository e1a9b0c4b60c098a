"""What a check of the machine is, and how all checks run before a start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from schema.findings import Finding
from schema.findings import Severity
from schema.split import nvidia

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from launch.argv.facts import ServerFacts
    from launch.argv.plan import Plan
    from launch.state import Job
    from schema.context import Context
    from schema.rules.base import Problem
    from schema.split.nvidia import Gpu

SIDES = ("server", "learner")
#: The side of a learner's launcher that has waited for its server, and now checks it.
CONNECT = "connect"


class ServerStatus(NamedTuple):
    """The server as a learner's launcher finds it.

    Attributes:
        problem: why no server is ready, or None if one is.
        job: the note that its launcher left, or None if no launcher on this node started it.
        world_size: what it answers to `/get_world_size/`, or None.
        owners: the processes that listen on its port, as far as this user may see them.
    """

    problem: str | None
    job: Job | None = None
    world_size: int | None = None
    owners: tuple[int, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The state of this machine at one moment, and the side that is about to start on it.

    Attributes:
        side: server, learner, or connect.
        context: the preset.
        plan: of that side.
        environment: the variables of this shell, and those that the preset adds.
        gpus: the GPUs of this machine, or None if nvidia-smi does not run.
        software: versions in the Python environment that will run, or None if that environment is unknown.
        python: the interpreter of that environment, or None if it is unknown.
        program: the program to start.
        jobs: the jobs that launchers run on this node.
        has_key: whether a key guards the server's routes.
        trusted: whether --trust-server vouches for the server, whoever holds its ports.
        waited: seconds for which this start has waited until an ended run released its resources.
        server_status: the server, once a learner has waited for it.
    """

    side: str
    context: Context
    plan: Plan
    environment: Mapping[str, str]
    gpus: tuple[Gpu, ...] | None
    software: Mapping[str, str] | None
    python: str | None
    program: str
    jobs: tuple[Job, ...] = ()
    has_key: bool = False
    trusted: bool = False
    waited: float = 0.0
    server_status: ServerStatus | None = None

    @property
    def swift(self) -> str:
        """The target ms-swift release, for messages."""
        return self.context.swift

    @property
    def server(self) -> ServerFacts:
        """What the preset starts its server with."""
        return self.plan.server

    def gpu(self, name: str) -> Gpu | None:
        """The GPU that a name of the operator means, if this machine has it."""
        return nvidia.find(self.gpus or (), name)

    def describe_variable(self, variable: str) -> str:
        """A variable for a message: its value, and whether the preset or the shell sets it."""
        source = (
            "is set in the preset's ENV" if variable in self.plan.environment else "is inherited from this shell"
        )
        return f"{variable}={self.environment[variable]} {source}"

    def unset_advice(self, variable: str) -> str:
        """How to remove a variable."""
        return f"remove {variable} from ENV" if variable in self.plan.environment else f"unset {variable}"


CheckFunction: TypeAlias = Callable[[Snapshot], "Iterator[Problem]"]
#: Names each problem of a check that passes by itself within seconds.
TransientFunction: TypeAlias = Callable[[Snapshot], "Iterator[str]"]


class Check(NamedTuple):
    """A registered check.

    Attributes:
        id: what findings, `--allow` and `rollout-split explain` call it.
        check: yields the problems; its docstring explains the check and names the upstream line.
        severity: of its problems, unless a problem has its own.
        sides: the sides whose start it checks.
        transient: names the problems that an ended run causes for some seconds; a start waits until they pass.
    """

    id: str
    check: CheckFunction
    severity: Severity
    sides: tuple[str, ...]
    transient: TransientFunction


#: Every check, by id, in the order of definition.
CHECKS: dict[str, Check] = {}


def check(
    name: str,
    *,
    severity: Severity = Severity.ERROR,
    sides: tuple[str, ...] = SIDES,
    transient: TransientFunction = lambda _: iter(()),
) -> Callable[[CheckFunction], CheckFunction]:
    """Registers a function as a check; see Check for the arguments."""

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS[name] = Check(name, function, severity, sides, transient)
        return function

    return register


def findings(snapshot: Snapshot, allow: frozenset[str] = frozenset()) -> list[Finding]:
    """All findings about this start, errors first; those of allowed checks are warnings."""
    found = [
        Finding(item.id, Severity.WARNING if item.id in allow else problem.severity or item.severity, *problem[:4])
        for item in CHECKS.values()
        if snapshot.side in item.sides
        for problem in item.check(snapshot)
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def transient(snapshot: Snapshot, found: Iterable[Finding]) -> list[str]:
    """What an ended run has not released yet; empty if any other error that was found forbids this start."""
    pending = {
        name: list(item.transient(snapshot)) for name, item in CHECKS.items() if snapshot.side in item.sides
    }
    errors = Counter(finding.rule for finding in found if finding.is_error)
    if any(count > len(pending[name]) for name, count in errors.items()):
        return []
    return [text for name in errors for text in pending[name]]
