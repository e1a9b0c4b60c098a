"""What a rule is, and how all of them run over one preset."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from schema.context import Context
from schema.findings import COUNTED
from schema.findings import Finding
from schema.findings import Severity
from schema.findings import bounded
from schema.layouts.preset import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.fixes import Edits
    from schema.place import Place


class Problem(NamedTuple):
    """What a rule yields: a finding without the rule's own id; severity None is the rule's own.

    Edits are those of its fix, where a program can make it.
    """

    place: Place
    message: str
    consequence: str = ""
    fix: str = ""
    severity: Severity | None = None
    edits: Edits = ()


Check: TypeAlias = Callable[[Context], Iterator[Problem]]


class Rule(NamedTuple):
    """A registered rule.

    Attributes:
        id: what findings and `--explain` call it.
        check: yields the problems; its docstring explains the rule and names the upstream line.
        severity: of its problems, unless a problem has its own.
        mode: the vllm_mode it is about, or None for all.
        layout: the layout it is about, or None for all.
        apart: whether it is only about presets whose server has settings of its own.
        needs: fields that the check depends on; if one is wrong, that is reported instead.
        components: whether it also checks files that are not whole presets.
    """

    id: str
    check: Check
    severity: Severity
    mode: str | None
    layout: str | None
    apart: bool
    needs: tuple[str, ...]
    components: bool

    def can_tell(self, context: Context) -> bool:
        """Whether nothing that the rule depends on is wrong; that is reported instead."""
        return context.wrong.isdisjoint(self.needs)

    def findings(self, context: Context) -> list[Finding]:
        """The findings of this rule in a preset that it is about, at most COUNTED of them."""
        asked = context.preset.noting(self.needs)
        found: list[Finding] = []
        for problem in self.check(context):
            if asked.value or len(found) == COUNTED:  # what nobody knows lets a rule conclude nothing
                break
            place, message, consequence, fix, severity, edits = problem
            known = Severity.WARNING if asked.absent else severity or self.severity
            found.append(Finding(self.id, known, place, message, consequence, fix, edits=edits))
        return bounded(found) if found else found


#: Every rule, by id, in the order of definition.
RULES: dict[str, Rule] = {}


def applying(context: Context) -> Sequence[Rule]:
    """The rules that are about a preset, and that nothing wrong keeps from a conclusion."""
    preset = context.preset
    rules = _about(str(preset.mode), preset.layout, apart=preset.apart, whole=preset.kind is Kind.GRPO)
    return [rule for rule in rules if rule.can_tell(context)] if context.wrong else rules


@cache
def _about(mode: str, layout: str, *, apart: bool, whole: bool) -> Sequence[Rule]:
    return [
        rule
        for rule in RULES.values()
        if rule.mode in (None, mode)
        and rule.layout in (None, layout)
        and (apart or not rule.apart)
        and (whole or rule.components)
    ]


def rule(  # noqa: PLR0913 - the properties of a Rule
    name: str,
    *,
    severity: Severity = Severity.ERROR,
    mode: str | None = None,
    layout: str | None = None,
    apart: bool = False,
    needs: tuple[str, ...] = (),
    components: bool = False,
) -> Callable[[Check], Check]:
    """Registers a check as a rule; see Rule for the arguments."""

    def register(check: Check) -> Check:
        RULES[name] = Rule(name, check, severity, mode, layout, apart, needs, components)
        return check

    return register
