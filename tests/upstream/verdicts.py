"""Compares the two verdicts on many presets."""

import json
from collections import Counter
from typing import NamedTuple

from tests.upstream.oracle import Answer
from tests.upstream.oracle import Opinion
from tests.upstream.oracle import opinion

#: Shown at the end of the run.
TABLES: list[str] = []


class Verdict(NamedTuple):
    """What both sides said of one case; `error` is ms-swift's, of whichever side raised first."""

    opinion: Opinion
    error: str | None

    @property
    def rules(self) -> set[str]:
        """The rules that reject it."""
        return set(self.opinion.errors)

    @property
    def kind(self) -> str:
        """One of the four classes."""
        if self.rules:
            return "agreed: rejected" if self.error else "false reject"
        return "false accept" if self.error else "agreed: accepted"

    def __str__(self) -> str:
        said = f"ms-swift: {self.error}" if self.error else f"rejected here: {'; '.join(self.opinion.messages)}"
        return f"{self.opinion.case.name}\n    {said}"


def judge(oracle, cases, folder, version) -> list[Verdict]:
    """Both verdicts on each case."""
    opinions = [opinion(case, folder / str(number), version) for number, case in enumerate(cases)]
    oracle.ask(*(request for said in opinions for request in said.requests))
    verdicts = [Verdict(said, first_error(oracle.ask(*said.requests))) for said in opinions]
    (folder / "verdicts.json").write_text(json.dumps(verdicts, default=str), encoding="utf-8")
    return verdicts


def first_error(answers: list[Answer]) -> str | None:
    """What ms-swift raised, if it did."""
    return next((answer.error for answer in answers if answer.error), None)


def table(title: str, verdicts: list[Verdict]) -> str:
    """How often both agreed, and the false rejects by rule."""
    kinds = Counter(verdict.kind for verdict in verdicts)
    rules = Counter(rule for verdict in verdicts if verdict.kind == "false reject" for rule in verdict.rules)
    rows = [("presets", len(verdicts)), *sorted(kinds.items())]
    rows += [(f"  {rule}", count) for rule, count in rules.most_common()]
    return "\n".join([f"\n{title}", *(f"{count:>7}  {name}" for name, count in rows)])
