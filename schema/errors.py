"""What the person at the keyboard can put right: one clear message and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.place import Place


class InputError(Exception):
    """Input that cannot be read or acted on; the commands report it and exit with 2.

    Attributes:
        message: what is wrong, with the smallest fix where there is one.
        place: where it is wrong, if it is wrong in a file.
    """

    def __init__(self, message: str, place: Place | None = None) -> None:
        self.message = message
        self.place = place
        super().__init__(f"{place}: {message}" if place else message)


class InternalError(Exception):
    """A defect of this tool or a broken installation; the commands report it and exit with 3."""
