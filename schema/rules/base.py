"""What a rule is, and how all of them run over one preset."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from schema.findings import Finding
from schema.findings import Severity
from schema.preset import Kind
from schema.resolve.tree import Branch
from schema.rules.near import Near
from schema.values import Values

if TYPE_CHECKING:
    from schema.catalogue import Release
    from schema.parse import Parsed
    from schema.place import Place
    from schema.preset import Preset
    from schema.resolve import Workspace
    from schema.server import RolloutServerConfig
    from schema.split import Split
    from schema.trainer import TrainerConfig


@dataclass(frozen=True)
class Context:
    """All that a rule may look at.

    Attributes:
        preset: the resolved preset.
        split: GPUs on both sides, as far as known.
        release: the target ms-swift release.
        trainer: the learner's settings.
        server: the rollout server's settings, or None if the preset has no block for them.
        workspace: the files that took part.
        near: finds the name that was probably meant.
    """

    preset: Preset
    split: Split
    release: Release
    trainer: Parsed[TrainerConfig]
    server: Parsed[RolloutServerConfig] | None
    workspace: Workspace
    near: Near = field(default_factory=Near)

    @cached_property
    def values(self) -> Values:
        """The learner's arguments as ms-swift's parser reads them."""
        return Values(self.preset, self.trainer.config, self.release)

    @property
    def swift(self) -> str:
        """The target as messages name it."""
        return f"ms-swift {self.release.version}"

    @property
    def late(self) -> str:
        """When the learner's arguments raise, for messages: in server mode the server was loaded by then."""
        return ", after the server was loaded" if self.preset.mode == "server" else ""

    def wrong(self, field: str) -> bool:
        """Whether a field is missing or has no right value, so that nothing can be concluded from it."""
        in_server = self.server is not None and field in self.server.errors
        return field in self.trainer.errors or in_server

    def at(self, field: str) -> Place:
        """Where an ms-swift argument is set, or the start of the leaf if it is not."""
        setting = self.preset.arguments.get(field)
        return setting.place if setting else self.preset.start

    def at_server(self, field: str) -> Place:
        """Where a field of the server's block is set, or the block if it is not."""
        block = self.preset.block
        if not isinstance(block, Branch):
            return self.preset.start
        found = block.find(field)
        return found.place if found else block.key

    def at_engine(self, field: str) -> Place:
        """Where an engine's setting is, or belongs: the server's in server mode, else the learner's own."""
        return self.at_server(field) if self.preset.mode == "server" else self.at(field)


class Problem(NamedTuple):
    """What a rule yields: a finding without the rule's own id; severity None is the rule's own."""

    place: Place
    message: str
    consequence: str = ""
    fix: str = ""
    severity: Severity | None = None


Check: TypeAlias = Callable[[Context], Iterator[Problem]]


class Rule(NamedTuple):
    """A registered rule.

    Attributes:
        id: what findings and `--explain` call it.
        check: yields the problems; its docstring explains the rule and names the upstream line.
        severity: of its problems, unless a problem has its own.
        mode: the vllm_mode it is about, or None for all.
        layout: the layout it is about, or None for all.
        needs: fields without which it can conclude nothing; if one is wrong, that is reported instead.
        components: whether it also looks at files that are no whole preset.
    """

    id: str
    check: Check
    severity: Severity
    mode: str | None
    layout: str | None
    needs: tuple[str, ...]
    components: bool

    def findings(self, context: Context) -> Iterator[Finding]:
        """The findings of this rule in a preset."""
        if not self._applies(context):
            return
        for problem in self.check(context):
            place, message, consequence, fix, severity = problem
            yield Finding(self.id, severity or self.severity, place, message, consequence, fix)

    def _applies(self, context: Context) -> bool:
        if context.preset.kind is not Kind.GRPO and not self.components:
            return False
        if self.layout is not None and context.preset.layout != self.layout:
            return False
        if self.mode is not None and context.preset.mode != self.mode:
            return False
        return not any(context.wrong(field) for field in self.needs)


#: Every rule, by id, in the order of definition.
RULES: dict[str, Rule] = {}


def rule(  # noqa: PLR0913 - the properties of a Rule
    name: str,
    *,
    severity: Severity = Severity.ERROR,
    mode: str | None = None,
    layout: str | None = None,
    needs: tuple[str, ...] = (),
    components: bool = False,
) -> Callable[[Check], Check]:
    """Registers a check as a rule; see Rule for the arguments."""

    def register(check: Check) -> Check:
        RULES[name] = Rule(name, check, severity, mode, layout, needs, components)
        return check

    return register
