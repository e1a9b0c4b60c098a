"""The journal: what a call is about to do, written and synced before it does anything else.

Its name says how far the call got. Under the first name, what was replaced goes back to what it was; under the
second, every file has been replaced, and only the backups have to go. Renaming it is the moment at which a call
is done.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from migrate.writing import disk
from migrate.writing.trees import missing
from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.writing.change import Change

UNDONE, DONE = ".migrate-config.undo", ".migrate-config.done"
_VERSION = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Entry(NamedTuple):
    """A file that a call replaces.

    Attributes:
        target: the file.
        old: digest of what it held, or None if it was not there.
        new: digest of what it gets, or None if it goes.
        token: part of the names beside it that this call uses.
    """

    target: Path
    old: str | None
    new: str | None
    token: str

    @property
    def staged(self) -> Path:
        """Where the new content waits; gone once it is in the target's place."""
        return self.target.with_name(f".{self.target.name}.{self.token}.new")

    @property
    def backup(self) -> Path:
        """The old file, from before its target is replaced until the call is over."""
        return self.target.with_name(f".{self.target.name}.{self.token}.old")


class Caller(NamedTuple):
    """A process that writes, and the kernel that it runs on."""

    pid: int
    host: str
    boot: str

    def is_elsewhere(self) -> bool:
        """Whether it runs on another machine, where no lock of this one is seen."""
        own = _caller()
        return self.boot != own.boot and self.host != own.host


def _caller() -> Caller:
    return Caller(os.getpid(), platform.node(), _BOOT.read_text("ascii").strip() if _BOOT.exists() else "")


class Journal(NamedTuple):
    """What a call is about to do.

    Attributes:
        home: the folder that the journal lies in, above all of its files.
        caller: who writes.
        folders: the folders that the call makes, from the top.
        entries: the files that it replaces.
    """

    home: Path
    caller: Caller
    folders: tuple[Path, ...]
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, home: Path, changes: Sequence[Change]) -> Journal:
        """The journal of a call that is about to begin."""
        token = os.urandom(4).hex()
        folders = dict.fromkeys(folder for change in changes for folder in missing(change.path))
        entries = (Entry(c.path, disk.digest_of(c.old), disk.digest_of(c.new), token) for c in changes)
        return cls(home, _caller(), tuple(folders), tuple(entries))

    @property
    def targets(self) -> tuple[Path, ...]:
        """The folders that the files are in."""
        return tuple(dict.fromkeys(entry.target.parent for entry in self.entries))

    def create(self) -> None:
        """Writes the journal; from here on there is something to put back."""
        disk.create(self.home / UNDONE, self._text().encode(), mode=0o600)

    def finish(self) -> None:
        """Says that every file has been replaced."""
        disk.replace(self.home / DONE, by=self.home / UNDONE)

    def _text(self) -> str:
        plain = {
            "version": _VERSION,
            "caller": self.caller._asdict(),
            "folders": [str(folder.relative_to(self.home)) for folder in self.folders],
            "files": [
                entry._asdict() | {"target": str(entry.target.relative_to(self.home))} for entry in self.entries
            ],
        }
        return json.dumps(plain, indent=1) + "\n"


def remove(file: Path) -> None:
    """Removes a journal for good."""
    disk.remove(file)
    disk.sync([file.parent])


def read(file: Path) -> Journal | None:
    """Reads a journal; None if it was never completed, so that nothing but itself was written.

    Raises:
        InputError: it cannot be read, or is not what this version writes.
    """
    try:
        text = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {disk.reason(error)}", Place(file)) from error
    try:
        plain = json.loads(text)
    except ValueError:
        return None
    try:
        return _journal(file.parent, plain)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "is not a journal that this version of migrate-config understands; run the version that wrote it",
            Place(file),
        ) from error


def _journal(home: Path, plain: dict[str, Any]) -> Journal:
    if plain["version"] != _VERSION:
        raise ValueError
    return Journal(
        home,
        Caller(**plain["caller"]),
        tuple(_below(home, folder) for folder in plain["folders"]),
        tuple(_entry(home, **entry) for entry in plain["files"]),
    )


def _entry(home: Path, target: str, old: str | None, new: str | None, token: str) -> Entry:
    if not token.isalnum():
        raise ValueError
    return Entry(_below(home, target), old, new, token)


def _below(home: Path, name: str) -> Path:
    # Recovery goes nowhere that a link or `..` leads to: a call writes real paths below its home only.
    path = home / name
    if os.path.normpath(path) != str(path) or Path(os.path.realpath(path.parent)) != path.parent:
        raise ValueError
    if home not in path.parents:
        raise ValueError
    return path
