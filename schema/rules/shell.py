"""Rules about shell scripts that call ms-swift: what a shell would make of their text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import cast

from schema.findings import Severity
from schema.layouts.flat import ENVIRONMENT
from schema.resolve.tree import Branch
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.environment import shared_gpus
from schema.rules.environment import variables
from schema.rules.flat import halves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.layouts.script.layout import Half
    from schema.layouts.script.layout import Script


def _script(context: Context) -> Script:
    # These rules are about scripts alone, and the layout is imported only where a file is one.
    return cast("Script", context.preset)


@rule("shell-syntax", layout="script", components=True)
def shell_syntax(context: Context) -> Iterator[Problem]:
    """Text that is no bash: a quote that is left open, or a piece that bash would not read.

    bash stops at it, or takes all that follows for one word. The rest of the script is checked unless it is a
    quote, for then nobody knows where the calls end.
    """
    preset = _script(context)
    if preset.text is None:
        return
    for fault in preset.quotes or preset.text.faults:
        if fault.breaks:
            yield Problem(
                fault.place,
                "the lines end with CR LF",
                "bash takes the CR for a part of the last word of a line, so that no backslash continues a call",
                "save it with LF: sed -i 's/\\r$//' FILE",
            )
        elif fault.quote:
            yield Problem(
                fault.place,
                f"the quote {fault.quote} is never closed",
                "bash: unexpected EOF while looking for matching quote, or another command than is meant",
                "close it",
            )
        else:
            message = "cannot be read as bash from here on; what stands there is not checked"
            yield Problem(fault.place, message, fix="check it with bash -n", severity=Severity.WARNING)


@rule("shell-value", severity=Severity.WARNING, layout="script", components=True)
def shell_value(context: Context) -> Iterator[Problem]:
    """A value that only a shell knows: a command's output, an argument of the script, a variable from outside.

    Nothing is run to find it out, and no rule concludes anything from it. A default, as in `${X:-8}`, counts where
    the script itself sets no X. Where words such as `"$@"` may bring any argument, a finding that rests on one
    that is not set is a warning.
    """
    for half in _halves(context):
        whose = "" if half.call.side == "rlhf" else f"{context.preset.server_path()}: "
        for name, word in half.unknown.items():
            if word in half.options.open:  # of which more is said below
                continue
            option = f"--{name}" if name in half.options.unknown else name
            yield Problem(
                word.place,
                f"{whose}only a shell knows {word.unknown} in {option}",
                "it is not checked",
                "write the value, or a plain assignment in the script",
            )
        for word in half.options.open:
            yield Problem(
                word.place,
                f"{whose}only a shell knows which arguments {word.unknown} brings",
                "the call is checked as if it brought none, so what rests on one that is not set is a warning",
                "write them, or assign them in the script",
            )


def _halves(context: Context) -> Iterator[Half]:
    preset = _script(context)
    if not preset.quotes:
        yield from filter(None, (preset.learner, preset.rollout))


@rule("shell-words", layout="script", components=True)
def shell_words(context: Context) -> Iterator[Problem]:
    """Words of a call that do not reach the option that they are meant for.

    A comment, a blank behind the backslash or a missing backslash ends a call, and bash runs its next line as a
    command of its own (`--x: command not found`). argparse stops at an option without its value, takes the last of
    two, and leaves a word that belongs to no option, at which ms-swift stops (4.5.2, pipelines/base.py:46).
    """
    for half in _halves(context):
        yield from _ended(context, half)
        for name, place in half.options.bare:
            outcome = "argparse stops: expected at least one argument"
            yield Problem(
                place, f"--{name} has no value", f"{context.swift}: {outcome}", "give it one, or remove it"
            )
        for name, place in half.options.twice:
            yield Problem(
                place,
                f"--{name} stands again further on",
                f"{context.swift}: the last one counts",
                "remove one of the two",
                Severity.WARNING,
            )
        for word in half.options.stray:
            yield Problem(
                word.place,
                f"{word.text!r} belongs to no option",
                f"{context.swift}: ValueError: remaining_argv",
                "put it behind its option, or remove it",
            )


def _ended(context: Context, half: Half) -> Iterator[Problem]:
    # What stands behind the call, and begins like an option of it.
    preset = _script(context)
    if preset.text is None or half.call.silent:
        return
    if (blank := preset.text.blank_behind(half.call.command)) is not None:
        yield Problem(
            blank,
            f"a blank stands behind the backslash, so `swift {half.call.side}` ends here",
            "bash passes the blank as an argument, and runs the next line as a command of its own",
            "remove the blank",
        )
        return
    if (option := preset.text.option_behind(half.call.command)) is not None:
        yield Problem(
            option.place,
            f"`swift {half.call.side}` has ended above: {option.text} is a command of its own",
            f"bash: {option.text}: command not found, and the call runs without it",
            "end each line of the call but the last with a backslash, and let no comment stand between them",
        )


@rule("shell-environment", layout="script")
def shell_environment(context: Context) -> Iterator[Problem]:
    """A variable of a call breaks it: an old engine, expandable segments, no number of processes, a shared GPU.

    VLLM_USE_V1 0 and expandable_segments break the weight sync (ms-swift #6935, #6960, #5428); two sides on one
    GPU end in "Duplicate GPU detected". torchrun gets NPROC_PER_NODE and NNODES as they are (4.5.2,
    cli/main.py:78).
    """
    preset = _script(context)
    for half, _, prefix in halves(preset, context.release):
        environment = half.children.get(ENVIRONMENT)
        if isinstance(environment, Branch):
            yield from variables(context, environment, prefix)
    yield from shared_gpus(context, preset)
