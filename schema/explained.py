"""What a finding's id stands for: a rule, or an error of the input."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import Protocol

from schema import errors
from schema.findings import Severity
from schema.rules import RULES
from schema.silence import UNUSED
from schema.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Mapping


class Subject(Protocol):
    """What rules for presets and checks of the machine have in common."""

    @property
    def id(self) -> str:
        """What findings call it."""

    @property
    def check(self) -> object:
        """The function that finds something."""

    @property
    def severity(self) -> Severity:
        """Of its findings."""


class Topic(NamedTuple):
    """What can be explained.

    Attributes:
        id: what findings call it.
        severity: of its findings.
        explanation: what it is about; its first line says that alone.
    """

    id: str
    severity: Severity
    explanation: str

    @classmethod
    def of(cls, subject: Subject) -> Topic:
        """Of a rule, or a check of the machine: the docstring of its function explains it."""
        return cls(subject.id, subject.severity, inspect.getdoc(subject.check) or "")


def _of_input(*kinds: type[errors.InputError]) -> dict[str, Topic]:
    return {kind.rule: Topic(kind.rule, Severity.ERROR, inspect.getdoc(kind) or "") for kind in kinds}


#: Why a file is not checked.
INPUT: Mapping[str, Topic] = _of_input(
    errors.InputError,
    errors.YamlError,
    errors.ExtendsError,
    errors.HalfError,
    errors.ProjectError,
    errors.NoPresetError,
)
#: What is said of the silencers themselves.
SILENCERS: Mapping[str, Topic] = {UNUSED: Topic(UNUSED, Severity.WARNING, inspect.getdoc(Silence.unused) or "")}


def topics() -> dict[str, Mapping[str, Topic]]:
    """All that validate-config explains, by title and id."""
    rules = {rule.id: Topic.of(rule) for rule in RULES.values()}
    return {"Rules for presets": rules, "Silencers": SILENCERS, "Files that are not checked": INPUT}


def explanation(name: str) -> str:
    """The text of one of them, or nothing for an id of something else."""
    return next((group[name].explanation for group in topics().values() if name in group), "")
