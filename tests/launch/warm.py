"""Launchers without the half second that Python takes to import them: processes forked from one that has.

They are processes like any other, with ids, sessions, streams and ends of their own. Tests of scripts, words,
terminals and starts as such run the installed command instead.
"""

import os
import signal
import sys
import warnings
from functools import cache
from typing import Any

from click.testing import CliRunner

import launch.start  # noqa: F401 - what a launcher imports after it has read its words
from launch.cli import main

#: How a new interpreter treats these signals. pytest, or who runs it, may have changed that.
SIGNALS: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGPIPE: signal.SIG_IGN,
    signal.SIGXFSZ: signal.SIG_IGN,
}


def options(words):
    """The `key=value` words of the scripts as options."""
    for word in words:
        key, _, value = word.partition("=")
        name = key.replace("_", "-")
        switched = {"true": f"--{name}", "false": f"--no-{name}"}
        yield switched.get(value, f"--{name}={value}")


@cache
def prepare(preset):
    """Builds before any fork what every launcher would build of its own: the models, and the catalogue."""
    for side in ("server", "learner"):
        ran = CliRunner().invoke(main, [side, "--gpus=0", "--dry-run", "--", str(preset)])
        assert ran.exit_code == 0, ran.output


def run(words, environment):
    """Becomes `rollout-split`, in a process that was just forked and has its streams; never returns."""
    code = 1
    try:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        for number, handler in SIGNALS.items():
            signal.signal(number, handler)
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        os.environ.clear()
        os.environ.update(environment)
        code = _run(words)
    finally:
        os._exit(code)


def _run(words):
    # The descriptors stay open when the launcher has other streams on them.
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", errors="backslashreplace", buffering=1, closefd=False)
    try:
        main(words, prog_name="rollout-split")
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
