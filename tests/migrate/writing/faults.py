"""Faults at the calls of the operating system: errors, half a write, kill -9; and how many there were."""

import errno
import os
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from unittest import mock

#: The calls that change a disk, make a change durable, or open a file to do so.
CALLS = ["chmod", "chown", "fsync", "link", "mkdir", "open", "rename", "replace", "rmdir"]
CALLS += ["setxattr", "unlink", "utime", "write"]

#: Faults injected by the test that runs, by kind.
INJECTED = Counter()


@contextmanager
def interposed(act):
    """Calls `act(number, name, real, *args)` in the place of each of the calls, numbered from 1."""
    number = 0

    def interpose(name, real):
        def call(*args, **kwargs):
            nonlocal number
            number += 1
            return act(number, name, lambda *args: real(*args, **kwargs), *args)

        return call

    with mock.patch.multiple(os, **{name: interpose(name, getattr(os, name)) for name in CALLS}):
        yield


class Failing:
    """Calls that fail with an error number: the one at a step, or all from there on.

    Attributes:
        hit: the name of the first call that failed, or None.
    """

    def __init__(self, step, error, *, lasting=False, only=CALLS):
        self.step, self.error, self.lasting, self.only, self.seen = step, error, lasting, only, 0
        self.hit = None

    def __call__(self, number, name, real, *args):
        if name not in self.only:
            return real(*args)
        self.seen += 1
        if self.seen == self.step or (self.lasting and self.seen > self.step):
            if self.hit is None:
                INJECTED[errno.errorcode[self.error] + (", lasting" if self.lasting else "")] += 1
            self.hit = self.hit or name
            raise OSError(self.error, os.strerror(self.error))
        return real(*args)


def killed_at(step, run):
    """Runs something in a process of its own that gets SIGKILL at its n-th call; a write is half done then.

    Returns:
        Whether it was killed; False: it came to its end before that call.
    """
    status = os.waitpid(start_dying_at(step, run), 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        INJECTED["kill -9"] += 1
        return True
    assert os.WEXITSTATUS(status) == 0, "it failed before it was killed"
    return False


def start_dying_at(step, run):
    """Starts that process, without waiting for its end; its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _die_at(step, run)
    return child


def _die_at(step, run):
    def act(number, name, real, *args):
        if number == step:
            if name == "write":
                real(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)

    code = 1
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        with interposed(act):
            run()
        code = 0
    finally:
        os._exit(code)
