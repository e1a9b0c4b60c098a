"""From stamps to steps: where the seconds of each went."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.timing import around

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from launch.timing.stamps import Stamp

#: The parts of a step, in the order of a step.
PARTS = ("other", "prepare", "wait", "sync", "rollout", "learn")
#: Requests of weights from which on the time of one is known.
_SEVERAL = 4


class Step(NamedTuple):
    """One optimizer step; all times in seconds.

    Attributes:
        number: counted from 1.
        begin: seconds since the epoch at which the step before it ended.
        seconds: until it ended itself.
        logged: what the learner logged of the step, by name; of several steps, what it logged of all of them.
        around: what else was seen in it, by name; see `launch.timing.around`.
        lines: which lines the numbers rest on.
        other: before it, in which the model was evaluated.
        prepare: before the first weights went: the batch is loaded, a checkpoint saved, and adapters are merged.
            It is in sync where weights go in a few requests only, which do not tell when the first one began.
        wait: in which the learner waited for completions that were begun in an earlier step (async_generate).
        sync: in which the weights went to the server.
        rollout: in which the server made completions and the learner waited for them.
        learn: the rest: rewards, log-probabilities, forward and backward passes, the optimizer.
        generating: in which the server made completions, whoever waited for them.
        completions: how many the server began in it, as its bars tell; 0 if they do not.
    """

    number: int
    begin: float
    seconds: float
    logged: dict[str, float]
    around: dict[str, float]
    lines: dict[str, str]
    other: float = 0.0
    prepare: float = 0.0
    wait: float = 0.0
    sync: float = 0.0
    rollout: float = 0.0
    learn: float = 0.0
    generating: float = 0.0
    completions: int = 0


class _Inside(NamedTuple):
    """What happened in a step, which began and ended at these seconds since the epoch.

    `next` is when the first completions were done in the step after it; None if none were. `is_first` says whether
    it is the first of the run, before which nothing was begun.
    """

    begin: float
    end: float
    learner: Sequence[Stamp]
    server: Sequence[Stamp]
    next: float | None
    is_first: bool


class _Parts(NamedTuple):
    prepare: float = 0.0
    wait: float = 0.0
    sync: float = 0.0
    rollout: float = 0.0
    generating: float = 0.0


def steps(learner: Sequence[Stamp], server: Sequence[Stamp], *, overlapped: bool) -> Iterator[Step]:
    """The steps of a run, in their order, by the stamps of both sides in theirs.

    With `overlapped` the server makes completions while the learner learns (async_generate).
    """
    logs = _logs(learner)
    for number, inside in _insides(learner, server):
        begin = _last(inside.learner, "evaluates", inside.begin)
        served = [each for each in inside.server if each.at > begin]
        if not overlapped:
            parts = _in_turn(served, begin)
        else:
            parts = (_opening if inside.is_first else _overlapped)(served, begin, inside.next)
        seconds, took = inside.end - inside.begin, (begin - inside.begin, *parts[:-1])
        learn = max(0.0, seconds - sum(took))
        made = sum(each.step or 0 for each in inside.server if each.what == "begun")
        seen = around.seen(inside.learner, inside.server, inside.end - learn)
        lines = _lines(inside.server, overlapped=overlapped)
        about = number, inside.begin, seconds, logs.get(number, {}), seen, lines
        yield Step(*about, *took, learn=learn, generating=parts.generating, completions=made)


def _insides(learner: Sequence[Stamp], server: Sequence[Stamp]) -> Iterator[tuple[int, _Inside]]:
    times = [each.at for each in server]
    done = [each.at for each in server if each.what == "completions"]
    bars = [index for index, each in enumerate(learner) if each.what == "step"]
    for since, last, after_that in zip(bars, bars[1:], [*bars[2:], None], strict=False):
        before, after = learner[since], learner[last]
        if before.step is None or after.step != before.step + 1 or after.at <= before.at:
            continue  # steps so fast that the bar left some out, or a clock that was set back
        inside = server[bisect_right(times, before.at) : bisect_right(times, after.at)]
        later = bisect_right(done, after.at)
        until = learner[after_that].at if after_that else after.at
        ready = done[later] if later < len(done) and done[later] <= until else None
        yield after.step, _Inside(before.at, after.at, learner[since:last], inside, ready, since == bars[0])


def _logs(learner: Sequence[Stamp]) -> dict[int, dict[str, float]]:
    """What the learner logged of its steps, by their numbers: the line comes after the bar of its step.

    A line that comes every few steps (logging_steps) tells of all steps since the one before it.
    """
    found: dict[int, dict[str, float]] = {}
    step = last = 0
    for each in learner:
        step = each.step or step if each.what in ("step", "log") else step
        if each.what == "log" and each.logged is not None:
            found |= dict.fromkeys(range(last + 1, step + 1), each.logged)
            last = step
    return found


def _in_turn(server: Sequence[Stamp], begin: float) -> _Parts:
    """The parts of a step that follow each other."""
    synced = _last(server, "synced", begin)
    weights = _first_weights(server, begin) if synced > begin else begin
    made = sum(end - start for start, end in _rollouts(server, synced))
    return _Parts(weights - begin, 0.0, synced - weights, made, made)


def _rollouts(server: Sequence[Stamp], synced: float) -> Iterator[tuple[float, float]]:
    """When each rollout began and ended.

    The first one begins when the weights have arrived. Of a later one only the engines' bars tell when it begins;
    where they do not, it is in learn.
    """
    begun: float | None = synced
    for each in server:
        if each.what == "begun" and begun is None:
            begun = each.at
        elif each.what == "completions" and each.at > synced and begun is not None:
            yield begun, each.at
            begun = None


def _overlapped(server: Sequence[Stamp], begin: float, following: float | None) -> _Parts:
    """The same where the completions were begun in the step before: the learner waits, then syncs, then learns."""
    arrived = next((each.at for each in server if each.what in ("weights", "synced")), None)
    if arrived is None:
        return _Parts()
    ready = max((each.at for each in server if each.what == "completions" and each.at <= arrived), default=begin)
    synced = _last(server, "synced", ready)
    weights = _first_weights(server, ready) if synced > ready else ready
    later = (each.at for each in server if each.what == "completions" and each.at > synced)
    done = next(later, following or synced)
    return _Parts(weights - ready, ready - begin, synced - weights, 0.0, done - synced)


def _opening(server: Sequence[Stamp], begin: float, following: float | None) -> _Parts:
    """The same of the first step: nothing was begun before it, so the learner waits for its own completions, too.

    ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:75.
    """
    synced = _last(server, "synced", begin)
    done = [each.at for each in server if each.what == "completions" and each.at > synced]
    if not done:
        return _in_turn(server, begin)
    own = _in_turn([each for each in server if each.at <= done[0]], begin)
    ahead = next(iter(done[1:]), following or done[0])
    return own._replace(generating=own.generating + ahead - done[0])


def _first_weights(server: Sequence[Stamp], least: float) -> float:
    """When the first weights were sent: requests are stamped at their ends, and one takes as long as another."""
    ends = [each.at for each in server if each.what == "weights"]
    if len(ends) < _SEVERAL:
        return least
    return max(least, ends[0] - (ends[-1] - ends[0]) / (len(ends) - 1))


def _last(stamps: Sequence[Stamp], what: str, least: float) -> float:
    return max((each.at for each in stamps if each.what == what), default=least)


def _lines(server: Sequence[Stamp], *, overlapped: bool) -> dict[str, str]:
    """Which lines each number rests on."""
    found = {each.what for each in server}
    rests = {"seconds": "the bar Train: of this step and of the one before it"}
    if "synced" in found:
        rests["sync"] = "the server's POST /reset_prefix_cache/"
    if sum(each.what == "weights" for each in server) >= _SEVERAL:
        rests["prepare"] = "the server's POST /update_.../, and what each of them takes"
    if "completions" in found:
        rests["wait" if overlapped else "rollout"] = "the server's POST /infer/"
    if "begun" in found:
        rests["completions"] = "the bars of the server's engines"
    return rests
