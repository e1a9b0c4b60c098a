"""One file of a call: what planning saw, what it is to become, and whether it may."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.writing.disk import reason
from migrate.writing.trees import root_of
from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable


class Change(NamedTuple):
    """A file before and after.

    Attributes:
        path: its absolute path.
        old: what planning saw there, or None for nothing.
        new: what it is to hold, or None if it is to go; if that is what planning saw, it only has to be so still.
    """

    path: Path
    old: bytes | None
    new: bytes | None

    @property
    def writes(self) -> bool:
        """Whether the file changes at all."""
        return self.old != self.new

    def check(self) -> None:
        """Looks whether the file is still what planning saw.

        Raises:
            InputError: someone changed, removed or created it, or it cannot be read.
        """
        try:
            now = self.path.read_bytes() if os.path.lexists(self.path) else None
        except OSError as error:
            raise InputError(f"cannot be read: {reason(error)}", Place(self.path)) from error
        if now != self.old:
            raise InputError(f"{self._event(now)} by someone else since it was read", Place(self.path))

    def _event(self, now: bytes | None) -> str:
        if now is None:
            return "was removed"
        return "was changed" if self.old is not None else "was created"


def resolved(changes: Iterable[Change]) -> list[Change]:
    """The changes with the files that their paths lead to, each file once; nothing is written.

    Raises:
        InputError: a path leads out of its project, two names of one file would get different content, or a
            file cannot be replaced.
    """
    files: dict[Path, Change] = {}
    for change in changes:
        file = change._replace(path=_inside(change.path))
        if files.setdefault(file.path, file) != file:
            raise InputError(
                "is another name of a file that would get other content in this call", Place(change.path)
            )
    for file in files.values():
        if file.writes:
            _refuse_irreplaceable(file.path)
    return list(files.values())


def _inside(path: Path) -> Path:
    file, root = Path(os.path.realpath(path)), root_of(path)
    if root is not None and not file.is_relative_to(os.path.realpath(root)):
        raise InputError(
            f"leads to {file}, which is outside the project root {root}; name that file itself", Place(path)
        )
    return file


def _refuse_irreplaceable(file: Path) -> None:
    try:
        found = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise InputError(f"cannot be written: is {kind}", Place(file))
    if found.st_nlink > 1:
        raise InputError(
            f"has {found.st_nlink} names (hard links), and the others would keep the old text; give it its own"
            " file first: cp -p FILE COPY && mv COPY FILE",
            Place(file),
        )
    if not os.access(file, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise InputError("cannot be written: permission denied", Place(file))
