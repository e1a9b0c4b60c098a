"""ms-swift plugin of real runs: a reward that tells random completions apart, and the times of a step.

The first learner prints lines `smoke-time NAME SECONDS`: `step` from one optimizer step to the next, `generate`
while completions are made, `sync` while weights go to the engines, `forward` of the loss; and `smoke-memory GIB`,
the most that torch held. ms-swift times all but the steps, and tells only wandb and swanlab (4.5.2,
rlhf_trainers/utils.py:565).
"""

import os
import sys
import time
from contextlib import contextmanager

from swift.rewards import ORM
from swift.rewards import orms


class Letters(ORM):
    """The share of letters from a to m."""

    def __call__(self, completions, **_):
        """One reward a completion."""
        return [sum("a" <= sign <= "m" for sign in text) / max(len(text), 1) for text in completions]


orms["letters"] = Letters

PARTS = {"generate": "generate", "_move_model_to_vllm": "sync", "compute_loss": "forward"}
_last = [time.perf_counter()]


def _tell(name, value):
    if os.environ.get("RANK", "0") == "0":
        print(f"smoke-{name} {value}", flush=True)


def _timed(profiling):
    """Tells the times that ms-swift takes, which goes on to tell them, too."""

    @contextmanager
    def timed(trainer, name):
        begun = time.perf_counter()
        with profiling(trainer, name):
            yield
        if name in PARTS:
            _tell("time", f"{PARTS[name]} {time.perf_counter() - begun:.3f}")

    return timed


def _time_parts():
    from swift.rlhf_trainers import rollout_mixin
    from swift.rlhf_trainers import utils

    utils.profiling_context = rollout_mixin.profiling_context = _timed(utils.profiling_context)


def _time_steps():
    import torch
    from transformers.trainer_callback import CallbackHandler

    begin, end = CallbackHandler.on_train_begin, CallbackHandler.on_step_end

    def on_train_begin(self, *arguments):
        _last[0] = time.perf_counter()
        return begin(self, *arguments)

    def on_step_end(self, *arguments):
        now = time.perf_counter()
        _tell("time", f"step {now - _last[0]:.3f}")
        _last[0] = now
        if torch.cuda.is_available():
            _tell("memory", f"{torch.cuda.max_memory_allocated() / 2**30:.1f}")
        return end(self, *arguments)

    CallbackHandler.on_train_begin, CallbackHandler.on_step_end = on_train_begin, on_step_end


if sys.argv[0].endswith("rlhf.py"):
    _time_parts()
    _time_steps()
