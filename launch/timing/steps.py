"""From stamps to steps: where the seconds of each went."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.stamps import Stamp

#: The parts of a step, in the order of a step.
PARTS = ("prepare", "wait", "sync", "rollout", "learn")


class Step(NamedTuple):
    """One optimizer step; all times in seconds.

    Attributes:
        number: counted from 1.
        begin: seconds since the epoch at which the step before it ended.
        seconds: until it ended itself.
        prepare: before the first weights went: the batch is loaded, and adapters are merged. It is in sync where
            weights go in a few requests only, which do not tell when the first one began.
        wait: in which the learner waited for completions that were begun in an earlier step (async_generate).
        sync: in which the weights went to the server.
        rollout: in which the server made completions and the learner waited for them.
        learn: the rest: rewards, log-probabilities, forward and backward passes, the optimizer.
        generating: in which the server made completions, whoever waited for them.
        logged: what the learner logged of the step, by name.
        lines: which lines the numbers rest on.
    """

    number: int
    begin: float
    seconds: float
    prepare: float
    wait: float
    sync: float
    rollout: float
    learn: float
    generating: float
    logged: dict[str, float]
    lines: dict[str, str]


def steps(learner: Sequence[Stamp], server: Sequence[Stamp], *, overlapped: bool) -> Iterator[Step]:
    """The steps of a run, in their order.

    Args:
        learner: stamps of the learner's output, in their order.
        server: stamps of its server's output, in their order.
        overlapped: whether the server makes completions while the learner learns (async_generate).
    """
    logs, times = _logs(learner), [each.at for each in server]
    for before, after in pairwise(each for each in learner if each.what == "step"):
        if before.step is None or after.step != before.step + 1:
            continue  # steps so fast that the bar left some out
        first = bisect_right(times, before.at)
        inside = server[first : bisect_right(times, after.at)]
        # Completions that overlap the learner's work may be done in the next step.
        parts = _overlapped(before.at, inside, server[first:]) if overlapped else _in_turn(before.at, inside)
        prepare, wait, sync, rollout, generating = parts
        seconds = after.at - before.at
        learn = max(0.0, seconds - prepare - wait - sync - rollout)
        lines = _lines(inside, overlapped=overlapped)
        logged = logs.get(after.step, {})
        yield Step(after.step, before.at, seconds, prepare, wait, sync, rollout, learn, generating, logged, lines)


def _logs(learner: Sequence[Stamp]) -> dict[int, dict[str, float]]:
    """What the learner logged of its steps, by their numbers: the line comes after the bar of its step."""
    found, step = {}, 0
    for each in learner:
        step = step if each.step is None else each.step
        if each.logged is not None:
            found[step] = each.logged
    return found


class _Parts(NamedTuple):
    prepare: float = 0.0
    wait: float = 0.0
    sync: float = 0.0
    rollout: float = 0.0
    generating: float = 0.0


def _in_turn(begin: float, inside: Sequence[Stamp]) -> _Parts:
    """The parts of a step that follow each other."""
    synced = _last(inside, "synced", begin)
    weights = _first_weights(inside, begin) if synced > begin else begin
    made = _last(inside, "completions", synced)
    return _Parts(weights - begin, 0.0, synced - weights, made - synced, made - synced)


def _overlapped(begin: float, inside: Sequence[Stamp], later: Sequence[Stamp]) -> _Parts:
    """The same where the completions were begun in the step before: the learner waits, then syncs, then learns."""
    arrived = next((each.at for each in inside if each.what in ("weights", "synced")), None)
    if arrived is None:
        return _Parts()
    ready = max((each.at for each in inside if each.what == "completions" and each.at <= arrived), default=begin)
    weights, synced = _first_weights(inside, ready), _last(inside, "synced", ready)
    done = next((each.at for each in later if each.what == "completions" and each.at > synced), synced)
    return _Parts(weights - ready, ready - begin, synced - weights, 0.0, done - synced)


def _first_weights(inside: Sequence[Stamp], least: float) -> float:
    """When the first weights were sent: requests are stamped at their ends, and one takes as long as another."""
    ends = [each.at for each in inside if each.what == "weights"]
    if len(ends) < _SEVERAL:
        return least
    return max(least, ends[0] - (ends[-1] - ends[0]) / (len(ends) - 1))


#: Requests from which on the time of one is known.
_SEVERAL = 4


def _last(stamps: Sequence[Stamp], what: str, least: float) -> float:
    return max((each.at for each in stamps if each.what == what), default=least)


def _lines(inside: Sequence[Stamp], *, overlapped: bool) -> dict[str, str]:
    """Which lines each number rests on."""
    found = {each.what for each in inside}
    rests = {"seconds": "the bar Train: of this step and of the one before it"}
    if "synced" in found:
        rests["sync"] = "the server's POST /reset_prefix_cache/"
    if sum(each.what == "weights" for each in inside) >= _SEVERAL:
        rests["prepare"] = "the server's POST /update_.../, and what each of them takes"
    if "completions" in found:
        rests["wait" if overlapped else "rollout"] = "the server's POST /infer/"
    return rests
