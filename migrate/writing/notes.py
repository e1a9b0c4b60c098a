"""What a call says beside its report: on standard error, so that the report stays one."""

from __future__ import annotations

import sys
from contextlib import suppress

from schema.printable import printable


def note(message: str) -> None:
    """Tells the person at the keyboard something that is no error."""
    with suppress(OSError):  # where nobody listens any more, what is being done is done all the same
        print(f"note: {printable(message)}", file=sys.stderr)


def counted(number: int, name: str) -> str:
    """A number of things, in words."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
