"""Whether output is coloured, and how."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import TypeAlias

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

#: A function with click.style's arguments.
Paint: TypeAlias = "Callable[..., str]"
#: The option of both commands.
COLOUR = click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text. auto: on a terminal; NO_COLOR and FORCE_COLOR are respected.",
)


def is_wanted(choice: str, stream: TextIO) -> bool:
    """Whether a stream gets colour.

    `always` and `never` decide it; else NO_COLOR turns it off and FORCE_COLOR on, where they are set and not empty
    (no-color.org, force-color.org), and else only a terminal gets it.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def painter(*, coloured: bool) -> Paint:
    """click.style, or a function that leaves texts as they are."""
    return click.style if coloured else lambda text, **_: text
