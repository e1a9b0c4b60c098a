"""Exit codes, and how both commands end."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from enum import IntEnum
from functools import wraps
from typing import TYPE_CHECKING
from typing import ParamSpec

import click

from schema.errors import InputError
from schema.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
#: How a write fails that a disk or a terminal does not take.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Exit(IntEnum):
    """What a command's exit status means."""

    OK = 0
    """Nothing is wrong; or it was written."""
    FINDINGS = 1
    """Errors were found; or files would change."""
    USAGE = 2
    """Wrong usage, unreadable input, or refused; nothing was written."""
    INTERNAL = 3
    """A defect of this tool."""


def say(error: InputError) -> None:
    """Tells the person what is wrong, on standard error."""
    print(f"error: {error}", file=sys.stderr)


def warn(message: str) -> None:
    """Tells the person what may surprise, on standard error."""
    print(f"warning: {message}", file=sys.stderr)


def _spell_out() -> None:
    # What a terminal's encoding lacks is spelled out, where Python would stop amid the output.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _failed(error: Exception) -> Exit:
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:  # no file: the output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(InputError(f"the output cannot be shown: {(error.strerror or '').lower()}"))
        return Exit.USAGE
    traceback.print_exception(error)
    print("error: this is a defect of rollout-split; please report it with the text above", file=sys.stderr)
    return Exit.INTERNAL


def guarded(run: Callable[P, int]) -> Callable[P, None]:
    """Ends the process with what `run` returns, or with what its exception means."""

    @wraps(run)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        _spell_out()
        try:
            code: int = run(*args, **kwargs)
            print(end="", flush=True)
        except InputError as error:
            say(error)
            code = Exit.USAGE
        except InternalError as error:
            print(f"error: {error} (a defect of rollout-split: please report it)", file=sys.stderr)
            code = Exit.INTERNAL
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            code = _failed(error)
        sys.exit(code)

    return command
