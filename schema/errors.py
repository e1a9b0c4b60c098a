"""What the person at the keyboard can put right: one clear message and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.printable import printable
from schema.printable import shortened
from schema.secrets import starred

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schema.place import Place


class InputError(Exception):
    """Input that cannot be read or acted on; the commands report it and exit with 2.

    Attributes:
        message: what is wrong, with the smallest fix where there is one.
        place: where it is wrong, if it is wrong in a file.
    """

    def __init__(self, message: str, place: Place | None = None, lines: Iterable[str] = ()) -> None:
        # Values of a file stand in messages: none of them breaks the line, or shows a secret.
        self.message = "\n".join(printable(starred(shortened(line))) for line in (message, *lines))
        self.place = place
        super().__init__(f"{printable(str(place))}: {self.message}" if place else self.message)


class InternalError(Exception):
    """A defect of this tool or a broken installation; the commands report it and exit with 3."""
