"""Bottlenecks that tests plant in a real run, as one of its external_plugins; without an order it does nothing.

A learner takes its orders from variables, and a server, which serves several learners, from a file.
"""

import os
import time
from pathlib import Path

from swift.infer_engine.grpo_vllm_engine import GRPOVllmEngine
from swift.rewards import orms
from vllm.distributed.device_communicators.pynccl import PyNcclCommunicator

#: Seconds that a learner's reward takes more, and each transfer of weights.
REWARD, SYNC = "PLANTED_REWARD", "PLANTED_SYNC"
#: While it is there, one of every four completions ends only at its limit, and the others after a few tokens.
LONG = Path("planted-long")
#: While it is there, no completion ends before its limit.
FULL = Path("planted-full")
_SHORT = 4


def _delay(owner, name, seconds):
    """Makes a method take some seconds more."""
    call = getattr(owner, name)

    def slow(*arguments, **options):
        time.sleep(seconds)
        return call(*arguments, **options)

    setattr(owner, name, slow)


def _lengths():
    """Lets orders decide how long the completions of a server are."""
    prepare, stop = GRPOVllmEngine._prepare_generation_config, GRPOVllmEngine._add_stop_words
    asked = [0]

    def prepared(engine, request):
        found = prepare(engine, request)
        asked[0] += 1
        if LONG.exists() and asked[0] % 4:
            found.max_tokens = _SHORT
        found.ignore_eos = LONG.exists() or FULL.exists()
        return found

    def stopped(engine, found, *arguments, **options):
        if not found.ignore_eos:
            stop(engine, found, *arguments, **options)

    GRPOVllmEngine._prepare_generation_config, GRPOVllmEngine._add_stop_words = prepared, stopped


if REWARD in os.environ:
    _delay(orms["letters"], "__call__", float(os.environ[REWARD]))
if SYNC in os.environ:
    _delay(PyNcclCommunicator, "broadcast", float(os.environ[SYNC]))
_lengths()
