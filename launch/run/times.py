"""How long a launcher waits before it gives something up: what this shell says, else what suits real jobs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from dataclasses import fields

from schema.errors import InputError


@dataclass(frozen=True)
class Times:
    """Seconds; `ROLLOUT_SPLIT_` and the name in capitals is the variable that sets one.

    Attributes:
        grace: between TERM and KILL, for what is ended.
        hurry: the same for a learner that waits in vain: it may hang in NCCL, and has nothing to save.
        ends: the same for a server that lost an engine, which first gets as long to end by itself.
        settle: for a server that lost an engine to end, and with it the learner before its launcher saw why.
        answer: for one token of a server which has generated before, and which nobody uses.
        quiet: of silence after which a learner that lost its completions is taken to wait for them, at least.
    """

    grace: int = 40
    hurry: int = 5
    ends: int = 2
    settle: int = 5
    answer: int = 15
    quiet: int = 30


def times() -> Times:
    """What this shell says.

    Raises:
        InputError: a variable holds no number.
    """
    said = {one.name: os.environ.get(f"ROLLOUT_SPLIT_{one.name.upper()}") for one in fields(Times)}
    return Times(**{name: _seconds(name, text) for name, text in said.items() if text is not None})


def _seconds(name: str, said: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", said):
        raise InputError(f"ROLLOUT_SPLIT_{name.upper()} is {said!r}; it must be a whole number of seconds")
    return int(said)
