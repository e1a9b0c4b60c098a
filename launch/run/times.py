"""How long a launcher waits before it gives up: as variables of this shell say, or as suits real jobs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from dataclasses import fields

from schema.errors import InputError


@dataclass(frozen=True)
class Times:
    """Waits, in seconds; the variable `ROLLOUT_SPLIT_` plus the name in capitals sets each.

    Attributes:
        grace: between SIGTERM and SIGKILL.
        hurry: the same for a learner that waits in vain: it may hang in NCCL, and has nothing to save.
        ends: the same for a server that lost an engine, which first gets as much time to end by itself.
        settle: after a learner has failed, until it is clear whether its server has failed, too.
        answer: for one token of a server that has generated before, and that nobody uses.
        quiet: the shortest silence after which a learner whose completions failed is taken to wait for them.
    """

    grace: int = 40
    hurry: int = 5
    ends: int = 2
    settle: int = 5
    answer: int = 15
    quiet: int = 30


def times() -> Times:
    """The waits that this shell sets, and the defaults of all others.

    Raises:
        InputError: a variable is not a number.
    """
    texts = {field.name: os.environ.get(f"ROLLOUT_SPLIT_{field.name.upper()}") for field in fields(Times)}
    return Times(**{name: _seconds(name, text) for name, text in texts.items() if text is not None})


def _seconds(name: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise InputError(f"ROLLOUT_SPLIT_{name.upper()} is {text!r}; it must be a whole number of seconds")
    return int(text)
