"""What a finding's id stands for: a rule, or an error of the input."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import Protocol

from schema import errors
from schema.findings import Severity
from schema.place import shown
from schema.printable import printable
from schema.rules import RULES
from schema.silence import UNUSED

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

    @property
    def summary(self) -> str:
        """What it is about, in a line."""
        return self.explanation.partition("\n")[0]

    @classmethod
    def of(cls, subject: Subject) -> Topic:
        """Of a rule, or a check of the machine: the docstring of its function explains it."""
        return cls(subject.id, subject.severity, inspect.getdoc(subject.check) or "")


def _of_input(*kinds: type[errors.InputError]) -> dict[str, Topic]:
    texts = {kind.rule: (inspect.getdoc(kind) or "").partition("\n\nAttributes:")[0] for kind in kinds}
    return {rule: Topic(rule, Severity.ERROR, text) for rule, text in texts.items()}


#: Why a file is not checked.
INPUT: Mapping[str, Topic] = _of_input(
    errors.InputError,
    errors.YamlError,
    errors.ExtendsError,
    errors.HalfError,
    errors.ProjectError,
    errors.NoPresetError,
)
_UNUSED = """A comment `# rollout-split: ignore[RULE]` silences nothing.

Its rule finds nothing in that line, or there is no such rule. If it stayed, it would hide the next mistake there.
"""
#: What is said of the silencers themselves.
SILENCERS: Mapping[str, Topic] = {UNUSED: Topic(UNUSED, Severity.WARNING, _UNUSED.rstrip())}


def topics() -> dict[str, Mapping[str, Topic]]:
    """All that validate-config explains, by title and id."""
    rules = {rule.id: Topic.of(rule) for rule in RULES.values()}
    return {"Rules for presets": rules, "Silencers": SILENCERS, "Files that are not checked": INPUT}


def explanation(name: str) -> str:
    """The text of one of them, or nothing for an id of something else."""
    return next((group[name].explanation for group in topics().values() if name in group), "")


@cache
def published() -> str | None:
    """The URL of docs/: the `Documentation` that the installed project's metadata name, if any."""
    urls = metadata.metadata("rollout-split").get_all("Project-URL") or []
    homes = (url.strip() for label, _, url in (each.partition(",") for each in urls) if label == "Documentation")
    return next(homes, None)


def address(page: str) -> str | None:
    """The URL of a page of docs/, where they are published."""
    home = published()
    return None if home is None else f"{home.rstrip('/')}/{page}"


def location(page: str) -> str | None:
    """Where a reader finds a page of docs/: at its URL, else in the clone that runs, else nowhere."""
    file = Path(__file__).parents[1] / "docs" / page
    return address(page) or (printable(shown(file)) if file.is_file() else None)


def page_of(name: str) -> str:
    """The page of a rule, an error of the input, or a check of the machine."""
    return f"rules/{name}.md"
