"""Locks on folders: flock on the folder itself, so that no file is left behind, and none outlives its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.writing.disk import reason
from migrate.writing.notes import note
from schema.errors import InputError
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

#: Seconds that a call waits for another one; a call takes a second or two.
PATIENCE = 10.0
_PAUSE = 0.05
_LOCKS = Path("/proc/locks")


class _Id(NamedTuple):
    """What a folder is, whatever it is called."""

    device: int
    inode: int


class Locks:
    """The folders that this process has locked.

    Args:
        alone: whether nobody else may have a lock there. If not, only nobody who is alone may, and folders that
            this user may not list stay unlocked.
    """

    def __init__(self, *, alone: bool) -> None:
        self._mode = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        self._held: dict[_Id, int] = {}

    def take(self, folders: Callable[[], Iterable[Path]]) -> None:
        """Locks folders, all of them at once, and waits for it if need be.

        Args:
            folders: says which; it is asked again once they are locked, and must then name no others.

        Raises:
            InputError: another process keeps one of them locked for too long, or one cannot be opened.
        """
        until = time.monotonic() + PATIENCE
        noted = False
        while (busy := self._try(folders)) is not None:
            if time.monotonic() > until:
                raise InputError(
                    f"{shown(busy)}: {_holder(busy)} has been at work there for {PATIENCE:g} s at least; nothing"
                    " was written; try again when it has ended"
                )
            if not noted:
                note(f"{shown(busy)}: waiting for {_holder(busy)} to end")
                noted = True
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Unlocks all of them."""
        _close(self._held)

    def _try(self, folders: Callable[[], Iterable[Path]]) -> Path | None:
        # One lock or all: a call that kept some while it waits could wait for one that waits for it.
        while True:
            taken: dict[_Id, int] = {}
            wanted = set(folders())
            for folder in sorted(wanted):
                if not self._lock(folder, taken):
                    _close(taken)
                    return folder
            if wanted.issuperset(folders()):
                self._held |= taken
                return None
            _close(taken)

    def _lock(self, folder: Path, taken: dict[_Id, int]) -> bool:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            found = os.fstat(handle)
            key = _Id(found.st_dev, found.st_ino)
            if key in self._held or key in taken:
                os.close(handle)
                return True
            taken[key] = handle
            fcntl.flock(handle, self._mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if isinstance(error, PermissionError) and self._mode == fcntl.LOCK_SH:
                return True
            _close(taken)
            raise InputError(f"{shown(folder)}: cannot be locked: {reason(error)}; nothing was written") from error
        return True


def _close(handles: dict[_Id, int]) -> None:
    while handles:
        os.close(handles.popitem()[1])


def _holder(folder: Path) -> str:
    # A process of another container, or on another machine, has no id here.
    try:
        found = folder.stat()
        name = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        rows = [row.split() for row in _LOCKS.read_text("ascii").splitlines()]
        pids = [row[4] for row in rows if row[1:2] == ["FLOCK"] and row[5] == name and row[4].isdecimal()]
    except (OSError, IndexError):
        pids = []
    return f"another call of migrate-config (process {pids[0]})" if pids else "another call of migrate-config"
