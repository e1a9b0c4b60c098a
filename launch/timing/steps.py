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
PARTS = ("wait", "sync", "rollout", "learn")


class Step(NamedTuple):
    """One optimizer step; all times in seconds.

    Attributes:
        number: counted from 1.
        begin: seconds since the epoch at which the step before it ended.
        seconds: until it ended itself.
        wait: in which the learner waited for completions that were begun in an earlier step (async_generate).
        sync: until the server had the new weights; the batch is loaded in them, too.
        rollout: in which the server made completions and the learner waited for them.
        learn: the rest: rewards, log-probabilities, forward and backward passes, the optimizer.
        generating: in which the server made completions of the step, whoever waited for them.
        logged: what the learner logged of the step, by name.
        lines: which lines the numbers rest on.
    """

    number: int
    begin: float
    seconds: float
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
    logs = _logs(learner)
    times = [each.at for each in server]
    for before, after in pairwise(each for each in learner if each.what == "step"):
        if before.step is None or after.step != before.step + 1:
            continue  # steps so fast that the bar left some out
        inside = server[bisect_right(times, before.at) : bisect_right(times, after.at)]
        parts = _overlapped(before.at, inside, server) if overlapped else _in_turn(before.at, inside)
        seconds = after.at - before.at
        wait, sync, rollout, generating = parts
        yield Step(
            after.step,
            before.at,
            seconds,
            wait,
            sync,
            rollout,
            max(0.0, seconds - wait - sync - rollout),
            generating,
            logs.get(after.step, {}),
            _lines(inside, overlapped=overlapped),
        )


def _logs(learner: Sequence[Stamp]) -> dict[int, dict[str, float]]:
    """What the learner logged of its steps, by their numbers: the line comes after the bar of its step."""
    found, step = {}, 0
    for each in learner:
        step = step if each.step is None else each.step
        if each.logged is not None:
            found[step] = each.logged
    return found


def _in_turn(begin: float, inside: Sequence[Stamp]) -> tuple[float, float, float, float]:
    """Wait, sync, rollout and generation of a step whose parts follow each other."""
    synced = _last(inside, "synced", begin)
    made = _last(inside, "completions", synced)
    return 0.0, synced - begin, made - synced, made - synced


def _overlapped(
    begin: float, inside: Sequence[Stamp], server: Sequence[Stamp]
) -> tuple[float, float, float, float]:
    """The same where the completions were begun in the step before: the learner waits, then syncs, then learns."""
    weights = next((each.at for each in inside if each.what in ("weights", "synced")), None)
    if weights is None:
        return 0.0, 0.0, 0.0, 0.0
    made = [each.at for each in inside if each.what == "completions" and each.at <= weights]
    ready = made[-1] if made else begin
    synced = _last(inside, "synced", ready)
    done = next((each.at for each in server if each.what == "completions" and each.at > synced), synced)
    return ready - begin, synced - ready, 0.0, done - synced


def _last(stamps: Sequence[Stamp], what: str, least: float) -> float:
    return max((each.at for each in stamps if each.what == what), default=least)


def _lines(inside: Sequence[Stamp], *, overlapped: bool) -> dict[str, str]:
    """Which lines each number rests on."""
    found = {each.what for each in inside}
    rests = {"seconds": "the bar Train: of this step and of the one before it"}
    if "synced" in found:
        rests["sync"] = "the server's POST /reset_prefix_cache/"
    if "completions" in found:
        rests["wait" if overlapped else "rollout"] = "the server's POST /infer/"
    return rests
