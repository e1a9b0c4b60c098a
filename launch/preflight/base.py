"""What a check of the machine is, and how all of them run before one start."""

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
#: What a learner's launcher looks at once it has waited for its server.
CONNECT = "connect"


class Seen(NamedTuple):
    """The server as a learner's launcher finds it.

    Attributes:
        missing: why there is none, or None if there is one.
        job: who it says it is, or None if nobody here started it.
        world_size: what it answers.
        owners: the processes that listen on its port, as far as this user may look.
    """

    missing: str | None
    job: Job | None = None
    world_size: int | None = None
    owners: tuple[int, ...] = ()


@dataclass(frozen=True)
class Look:
    """What was seen of this machine, and what is about to start on it.

    Attributes:
        side: server, learner, or connect.
        context: the preset.
        plan: of that side.
        environment: the variables of this shell, and those that the preset adds.
        gpus: the GPUs, or None where nvidia-smi tells nothing.
        software: versions in the environment that will run, or None where it is not known which that is.
        python: its interpreter, or None.
        program: what is run.
        keyed: whether a key shall guard the server's routes.
        jobs: what launchers of this project run here.
        trusted: whether the operator vouches for the server, so that what holds its ports is not ours to judge.
        waited: seconds in which this start has waited for what an ended run gives back late.
        seen: the server, once a learner has waited for it.
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
    keyed: bool = False
    trusted: bool = False
    waited: float = 0.0
    seen: Seen | None = None

    @property
    def swift(self) -> str:
        """The target as messages name it."""
        return self.context.swift

    @property
    def server(self) -> ServerFacts:
        """What the preset starts its server with."""
        return self.plan.server

    def said(self, variable: str) -> str:
        """A variable as messages name it, with who sets it."""
        who = "stands in the preset's ENV" if variable in self.plan.environment else "is inherited"
        return f"{variable}={self.environment[variable]} {who}"

    def unsaid(self, variable: str) -> str:
        """How to be rid of a variable."""
        return "take it out of ENV" if variable in self.plan.environment else f"unset {variable}"


Checks: TypeAlias = Callable[[Look], "Iterator[Problem]"]
#: What of a check's problems goes by itself within seconds, a text each.
Late: TypeAlias = Callable[[Look], "Iterator[str]"]


class Check(NamedTuple):
    """A registered check.

    Attributes:
        id: what findings, `--allow` and `rollout-split explain` call it.
        check: yields the problems; its docstring explains the check and names the upstream line.
        severity: of its problems, unless a problem has its own.
        sides: whose start it looks at.
        late: what of its problems an ended run leaves behind for some seconds, so that it is waited for.
    """

    id: str
    check: Checks
    severity: Severity
    sides: tuple[str, ...]
    late: Late


#: Every check, by id, in the order of definition.
CHECKS: dict[str, Check] = {}


def check(
    name: str,
    *,
    severity: Severity = Severity.ERROR,
    sides: tuple[str, ...] = SIDES,
    late: Late = lambda _: iter(()),
) -> Callable[[Checks], Checks]:
    """Registers a function as a check; see Check for the arguments."""

    def register(function: Checks) -> Checks:
        CHECKS[name] = Check(name, function, severity, sides, late)
        return function

    return register


def findings(look: Look, allow: frozenset[str] = frozenset()) -> list[Finding]:
    """All that speaks against this start, errors first.

    Args:
        look: what was seen.
        allow: ids whose errors the operator takes upon himself; they become warnings.
    """
    found = [
        Finding(each.id, _severity(problem.severity or each.severity, each.id in allow), *problem[:4])
        for each in CHECKS.values()
        if look.side in each.sides
        for problem in each.check(look)
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def late(look: Look, found: Iterable[Finding]) -> list[str]:
    """What an ended run has not given back yet, where nothing else speaks against this start.

    Args:
        look: what was seen.
        found: its findings.
    """
    left = {name: list(each.late(look)) for name, each in CHECKS.items() if look.side in each.sides}
    errors = Counter(finding.rule for finding in found if finding.is_error)
    if any(number > len(left[name]) for name, number in errors.items()):
        return []
    return [text for name in errors for text in left[name]]


def _severity(severity: Severity, allowed: bool) -> Severity:  # noqa: FBT001
    return Severity.WARNING if allowed else severity
