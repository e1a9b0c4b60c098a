"""Exit codes, and how both commands end."""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING
from typing import NoReturn

import click

from schema.errors import InputError
from schema.errors import InternalError
from schema.printable import printable
from schema.printable import shortened
from schema.secrets import starred

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def say(error: Exception) -> None:
    """Tells the person what is wrong, on standard error."""
    tell(f"error: {error}")


def brief(error: Exception) -> str:
    """What is wrong, for a report that programs read."""
    if isinstance(error, InputError):
        return error.message
    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    return printable(starred(message or type(error).__name__))


def tell(text: str) -> None:
    """Says something beside the output, line by line."""
    print("\n".join(map(printable, text.split("\n"))), file=sys.stderr)


class Guarded(click.Command):
    """A command that ends with what its function returns, or with what its exception means."""

    @staticmethod
    def failed(params: Mapping[str, object], error: Exception) -> str | None:  # noqa: ARG004 - a command may say more
        """The output that programs wait for, given the options as far as understood and what ended the call."""
        return None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments; what is wrong with them is said in the form that they ask for."""
        atexit.register(gc.freeze)  # what is left goes with the process: the collector need not look through it
        _spell_out()
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            understood = click.Context(self, resilient_parsing=True, ignore_unknown_options=True)
            super().parse_args(understood, words)
            self._answer(understood.params, error)
            raise _said(error) from error

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Runs the command and exits."""
        try:
            code: int = super().invoke(ctx)
            print(end="", flush=True)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except click.UsageError as error:
            self._answer(ctx.params, error)
            raise _said(error) from error
        except Exception as error:
            code = _failed(error)
            self._answer(ctx.params, error)
        sys.exit(code)

    def _answer(self, params: Mapping[str, object], error: Exception) -> None:
        if (output := self.failed(params, error)) is not None:
            print(output, flush=True)


def _said(error: click.UsageError) -> click.UsageError:
    return click.UsageError(printable(error.format_message()), error.ctx)


def warn(message: str) -> None:
    """Tells the person what may surprise, on standard error."""
    print(f"warning: {printable(message)}", file=sys.stderr)


def _spell_out() -> None:
    # What a terminal's encoding lacks is spelled out, where Python would stop amid the output.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _failed(error: Exception) -> Exit:
    if isinstance(error, InputError):
        say(error)
        return Exit.USAGE
    if isinstance(error, InternalError):
        tell(f"error: {starred(shortened(str(error)))} (a defect of rollout-split: please report it)")
        return Exit.INTERNAL
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:  # no file: the output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(InputError(f"the output cannot be shown: {(error.strerror or '').lower()}"))
        return Exit.USAGE
    import traceback  # noqa: PLC0415 - nearly no call needs it

    tell(starred("".join(traceback.format_exception(error)).rstrip("\n")))
    tell("error: this is a defect of rollout-split; please report it with the text above")
    return Exit.INTERNAL
