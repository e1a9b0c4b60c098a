"""What takes the time of a run, with its arithmetic, and the change of a preset that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from launch.timing import summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from launch.timing.made_of import MadeOf
    from launch.timing.run import Run
    from launch.timing.summary import Part

#: Shares of a step from which on a part is worth a word.
_MOST, _MUCH = 0.5, 0.25
#: Percent of the time below which a learner's GPUs wait for its CPU.
_IDLE = 50.0
#: The same from which on they hardly ever do.
_BUSY = 90.0
#: Percent of a KV cache from which on it is full.
_FULL = 90.0
#: The longest completion, in mean completions, from which on a rollout waits for it.
_LONG = 2.0
#: Completions that wait, as a share of those that run, from which on a limit of vLLM holds them back.
_SOME = 0.1
#: The share of completions that are all of them.
_ALL = 0.99
#: The share of a step below which there is nothing to save.
_LITTLE = 0.1
#: Completions at once up to which an engine takes hardly longer than for half of them: 8 of 2,048 tokens took 1.12
#: times as long as 4 (docs/gpu-runs.md, two H200: few and long).
_FEW = 8.0
#: Findings that a report tells.
_TOLD = 3


class Finding(NamedTuple):
    """What takes time, with the numbers, and what a preset can change.

    `gain` is the share of a step that the change could save at most; findings stand in its order.
    """

    name: str
    gain: float
    what: str
    change: str


class _Seen(NamedTuple):
    """A run, and the parts of its settled steps."""

    run: Run
    parts: dict[str, Part]

    @property
    def step(self) -> float:
        return self.parts["step"].mean

    @property
    def room(self) -> float:
        """The share of a step that a faster learner can save: async_generate makes a step as long as a rollout."""
        if not self.run.made_of.async_generate:
            return 1.0
        least = self.parts["generating"].median + self.parts["sync"].median
        return max(0.0, 1 - least / self.parts["step"].median)

    def share(self, *names: str) -> float:
        return sum(self.parts[name].share for name in names)

    def of_step(self, *names: str) -> str:
        """Seconds of some parts, such as 3.20 of 10.00 s per step (32%)."""
        seconds = sum(self.parts[name].mean for name in names)
        return f"{seconds:.2f} of {self.step:.2f} s per step ({self.share(*names):.0%})"


_Check: TypeAlias = "Callable[[_Seen], Iterator[Finding]]"


def findings(run: Run) -> list[Finding]:
    """At most three findings, the one first whose change could save most."""
    seen = _Seen(run, summary.parts(summary.settled(run)))
    checks = _CHECKS if run.has_parts else _WITHOUT_PARTS
    return sorted(_found(seen, checks), key=lambda finding: -finding.gain)[:_TOLD]


def _found(seen: _Seen, checks: tuple[_Check, ...]) -> Iterator[Finding]:
    for check in checks:
        for finding in check(seen):
            if check not in _OF_THE_LEARNER:
                yield finding
            elif seen.room >= _LITTLE:
                yield finding._replace(gain=min(finding.gain, seen.room))


def _small_micro_steps(seen: _Seen) -> Iterator[Finding]:
    made, learn, rewards = seen.run.made_of, seen.parts["learn"], summary.typical(seen.run, "rewards") or 0.0
    share = learn.share - rewards / seen.step
    if share < _MUCH or _waits_for_cpu(seen):
        return
    what = f"The learner takes {seen.of_step('learn')}"
    micro, batch = made.micro_steps or 1, made.per_device_train_batch_size
    use = summary.typical(seen.run, "learner_use")
    busy = use is not None and use >= _BUSY
    if micro < 2 or not batch or busy:
        full = f", and its GPUs work in {use:.0f}% of that: a larger batch would gain little" if busy else ""
        change = "give the learner more GPUs (migrate-config --rollout-gpus N --train-gpus M)"
        yield Finding("learner", share / 2, f"{what}{full}.", change)
        return
    each = (learn.mean - rewards) / micro
    what = f"{what}: {micro} micro-steps of {each:.2f} s, of {_counted(batch, 'completion')} on each GPU."
    # What its GPUs compute is left, however few the micro-steps are.
    gain = share * min(0.5, 1 - (use or 0.0) / 100)
    yield Finding("micro-steps", gain, what, f"{_larger(made, micro, batch)}{_memory(seen.run)}{_GAIN}")


#: Where a GPU is the limit, a larger batch gains nothing.
_GAIN = "; `rollout-split plan PRESET --runs FOLDER` says what it gains"


def _larger(made: MadeOf, micro: int, batch: int) -> str:
    """A larger batch of which fewer micro-steps make the same optimizer step."""
    times = next(times for times in range(2, micro + 1) if micro % times == 0)
    fed = made.steps_per_generation or micro
    also = f", steps_per_generation {fed // times}" if fed != micro and fed % times == 0 else ""
    fewer = _counted(micro // times, "micro-step")
    return f"try per_device_train_batch_size {times * batch}{also}: {fewer}, if memory allows it"


def _counted(number: float, name: str) -> str:
    return f"{number:.0f} {name}{'' if number == 1 else 's'}"


def _rewards(seen: _Seen) -> Iterator[Finding]:
    seconds = summary.typical(seen.run, "rewards") or 0.0
    if (share := seconds / seen.step) >= _MUCH:
        what = f"The reward functions take {seconds:.2f} of {seen.step:.2f} s per step ({share:.0%})."
        yield Finding("rewards", share, what, "make them faster, or asynchronous: others run one after another")


def _memory(run: Run) -> str:
    used, total = summary.most(run, "learner_gib"), summary.most(run, "learner_total_gib")
    if used is not None and total is not None:
        return f" ({used:.0f} of {total:.0f} GiB of its GPU are in use)"
    reserved = summary.most(run, summary.RESERVED)
    return "" if reserved is None else f" (torch has reserved {reserved:.1f} GiB)"


def _waits_for_cpu(seen: _Seen) -> bool:
    use = summary.typical(seen.run, "learner_use")
    return use is not None and use < _IDLE


def _busy_cpu(seen: _Seen) -> Iterator[Finding]:
    rewards = (summary.typical(seen.run, "rewards") or 0.0) / seen.step
    if seen.share("learn") - rewards < _MUCH or not _waits_for_cpu(seen):
        return
    use = summary.typical(seen.run, "learner_use") or 0.0
    what = (
        f"The learner takes {seen.of_step('learn')}, but its GPUs work in only {use:.0f}% of that: its CPU"
        " computes rewards, or encodes prompts and pictures."
    )
    change = (
        "time the reward functions (report_to: [wandb] or [swanlab] tells it), and lower MAX_PIXELS if prompts"
        " have pictures"
    )
    yield Finding("learner-cpu", (seen.share("learn") - rewards) * (1 - use / 100), what, change)


def _idle_server(seen: _Seen) -> Iterator[Finding]:
    made, works = seen.run.made_of, seen.share("generating")
    gpus, learners, engines = made.rollout_gpus or 1, made.learners, made.engines or 1
    if seen.share("learn") < _MOST or works >= _MUCH or engines < 2 or not learners:
        return
    kept = gpus // engines * (engines // 2)
    moved = gpus - kept
    what = f"The server's {gpus} GPUs make completions in {works:.0%} of the time, and wait in the rest."
    change = (
        f"move GPUs to the learner: migrate-config --rollout-gpus {kept} --train-gpus {learners + moved}, if the"
        " batch divides by that"
    )
    yield Finding("server-idle", seen.share("learn") * moved / (learners + moved), what, change)


def _waits_for_completions(seen: _Seen) -> Iterator[Finding]:
    share, made = seen.share("rollout", "wait"), seen.run.made_of
    least = _MUCH if seen.room >= _LITTLE else _LITTLE
    if share < least or _queue(seen.run) or any(_longest_completion(seen)):
        return
    what = f"The learner waits for completions in {seen.of_step('rollout', 'wait')}."
    if made.async_generate or made.multi_turn:  # the two exclude each other (4.5.2, arguments/rlhf_args.py:567)
        yield Finding("rollout", share / 2, what, _faster_rollouts(seen.run))
        return
    waits, learn = seen.parts["rollout"].mean, seen.parts["learn"].mean
    rest = seen.step - waits - learn
    change = (
        f"async_generate: true would overlap both: about max({waits:.2f}, {learn:.2f}) + {rest:.2f} ="
        f" {max(waits, learn) + rest:.2f} s per step, with completions from weights that are one step old"
    )
    yield Finding("rollout", min(waits, learn) / seen.step, what, change)


def _faster_rollouts(run: Run) -> str:
    running, now = summary.typical(run, "running"), run.made_of.max_completion_length
    if running is None or running > _FEW:
        return "give the server more GPUs (migrate-config --rollout-gpus N --train-gpus M)"
    limit = f"max_completion_length{f' ({now} now)' if now else ''}"
    change = f"make more completions for each optimizer step, or lower {limit}"
    return (
        f"{change}: more GPUs would gain little, because an engine has {_counted(running, 'completion')} at once"
    )


def _longest_completion(seen: _Seen) -> Iterator[Finding]:
    share = seen.share("rollout", "wait")
    mean, longest = summary.typical(seen.run, summary.MEAN), summary.typical(seen.run, summary.LONGEST)
    if share < _MUCH or not mean or not longest or longest < _LONG * mean or _queue(seen.run):
        return
    what = (
        f"The learner waits for completions in {seen.of_step('rollout', 'wait')}, and a rollout ends with its"
        f" longest one: {longest:.0f} tokens, where the mean is {mean:.0f}."
    )
    made = seen.run.made_of
    now = f" ({made.max_completion_length} now)" if made.max_completion_length else ""
    overlaps = not made.async_generate and not made.multi_turn
    overlap = ", or set async_generate: true, so that the learner works meanwhile" if overlaps else ""
    change = f"lower max_completion_length{now} if the long ones teach little{overlap}"
    yield Finding("longest-completion", share * (1 - mean / longest), what, change)


def _queue(run: Run) -> tuple[str, bool] | None:
    """Why completions wait in most steps for an engine, and whether its KV cache is full; None if they do not."""
    waiting, running = summary.typical(run, "waiting") or 0.0, summary.typical(run, "running") or 0.0
    full = summary.most(run, "kv_percent") or 0.0
    if preempted := sum(step.around.get("preemptions", 0.0) for step in run.steps):
        return f"vLLM preempted {_counted(preempted, 'completion')} and computed them again", True
    if waiting and full >= _FULL:
        return f"{_counted(waiting, 'completion')} waited while the KV cache was {full:.0f}% full", True
    if waiting >= _SOME * running and waiting:
        return f"{_counted(waiting, 'completion')} waited while only {full:.0f}% of the KV cache was in use", False
    return _overfull(run)


def _overfull(run: Run) -> tuple[str, bool] | None:
    made, mean = run.made_of, summary.typical(run, summary.MEAN)
    if not made.kv_tokens or not made.at_once or not mean or made.at_once * mean <= made.kv_tokens:
        return None
    what = (
        f"{made.at_once:.0f} completions of {mean:.0f} tokens for each engine are more than the {made.kv_tokens}"
        " tokens of its KV cache"
    )
    return what, True


def _completions_queue(seen: _Seen) -> Iterator[Finding]:
    queue, share = _queue(seen.run), seen.share("rollout", "wait")
    if queue is None or (seen.run.has_parts and share < _MUCH):
        return
    waits = f"The learner waits for completions in {seen.of_step('rollout', 'wait')}"
    why, full = queue
    what = f"{waits if seen.run.has_parts else 'Completions wait for an engine'}: {why}."
    if full:
        change = "raise vllm_gpu_memory_utilization, or give the server more GPUs"
        yield Finding("kv-cache", share, what, change)
    else:
        yield Finding("max-num-seqs", share, what, "raise vllm_max_num_seqs of the server")


def _sync(seen: _Seen) -> Iterator[Finding]:
    if (share := seen.share("sync")) >= _MUCH:
        what = f"Weight sync takes {seen.of_step('sync')}."
        change = "make more completions per optimizer step, so that weights move less often"
        yield Finding("sync", share, what, change)


def _prepare(seen: _Seen) -> Iterator[Finding]:
    if (share := seen.share("prepare")) >= _MUCH:
        what = f"Before the weights move, a step takes {seen.of_step('prepare')}."
        change = "raise save_steps if checkpoints are saved often; else it is the merging of adapters, or the data"
        yield Finding("prepare", share, what, change)


def _evaluation(seen: _Seen) -> Iterator[Finding]:
    if (share := seen.share("other")) >= _MUCH:
        seconds = sum(step.other for step in summary.settled(seen.run))
        what = f"Evaluation takes {seconds:.0f} s in all, {share:.0%} of the time."
        yield Finding("evaluation", share, what, "raise eval_steps, or evaluate fewer rows")


def _extra_pass(seen: _Seen) -> Iterator[Finding]:
    why = seen.run.made_of.old_log_probabilities
    if why and seen.share("learn") >= _MUCH:
        what = f"Old log-probabilities cost another forward pass in each micro-step, because {why}."
        change = "set steps_per_generation to gradient_accumulation_steps or a divisor of it, num_iterations to 1"
        yield Finding("old-log-probabilities", seen.share("learn") / 4, what, change)


def _clipped(seen: _Seen) -> Iterator[Finding]:
    ratio, shortest = (summary.typical(seen.run, name) for name in (summary.CLIPPED, summary.SHORTEST))
    limit = seen.run.made_of.max_completion_length
    if ratio is None or ratio < _ALL or any(_longest_completion(seen)):
        return
    at, raised = f"at {limit} tokens", "max_completion_length"
    if limit is None or (shortest is not None and shortest < limit):
        at, raised = "before max_completion_length", "vllm_max_model_len: the engine has no room for more"
    what = f"All completions are cut off {at}, so none shows how it would have ended."
    yield Finding("clipped", 0.0, what, f"raise {raised}, or look at what the model writes")


#: Those that a faster learner would mend.
_OF_THE_LEARNER: tuple[_Check, ...] = (_small_micro_steps, _rewards, _busy_cpu, _idle_server, _extra_pass)
_CHECKS: tuple[_Check, ...] = (
    *_OF_THE_LEARNER,
    _waits_for_completions,
    _longest_completion,
    _completions_queue,
    _sync,
    _prepare,
    _evaluation,
    _clipped,
)
#: Those that need not know the parts of a step.
_WITHOUT_PARTS = (_completions_queue, _extra_pass, _clipped)
