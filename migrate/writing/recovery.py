"""What calls that were killed have left behind, and what is to be done about it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from migrate.writing import disk
from migrate.writing.journal import DONE
from migrate.writing.journal import UNDONE
from migrate.writing.journal import read
from migrate.writing.journal import remove
from migrate.writing.notes import counted
from migrate.writing.notes import note
from migrate.writing.transaction import clean_up
from migrate.writing.transaction import put_back
from migrate.writing.trees import above
from schema.errors import InputError
from schema.place import Place
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from migrate.writing.journal import Journal

#: Seconds after which a call on another machine, whose locks are not seen here, is over.
ELSEWHERE = 600.0


def journals(trees: Collection[Path]) -> list[Path]:
    """The journals of the calls that wrote in these trees and are not over, or were killed.

    Above the trees only this user's count: nobody can stop others, or have them move files, with a journal in a
    folder that all may write to.
    """
    files = [folder / name for folder in above(trees) for name in (UNDONE, DONE)]
    return [file for file in files if os.path.lexists(file) and (file.parent in trees or _is_own(file))]


def _is_own(file: Path) -> bool:
    try:
        return file.lstat().st_uid == os.geteuid()
    except FileNotFoundError:  # its call has ended
        return False


def recover(file: Path) -> None:
    """Does what is left to do for a journal whose call is over; its folder must be locked alone.

    Raises:
        InputError: it is another user's, another machine's and too fresh, or something cannot be done; it can be
            tried again.
    """
    try:
        _recover(file, _dead(file))
    except OSError as error:
        raise InputError(
            f"what a killed call left cannot be cleaned up: {disk.described(error)}; fix that, then run it again",
            Place(file),
        ) from error


def _dead(file: Path) -> Journal | None:
    if not _is_own(file):
        raise InputError(
            f"was left by a call of another user (id {file.lstat().st_uid}) that was killed; that user's next"
            " call with --write puts the files back",
            Place(file),
        )
    journal = read(file)
    if journal and journal.caller.is_elsewhere() and time.time() - file.stat().st_mtime < ELSEWHERE:
        raise InputError(
            f"process {journal.caller.pid} on {journal.caller.host} writes here, or was killed less than"
            f" {ELSEWHERE / 60:g} minutes ago; nothing was written; try again later",
            Place(file),
        )
    return journal


def _recover(file: Path, journal: Journal | None) -> None:
    if journal is None:
        remove(file)
    elif file.name == DONE:
        clean_up(journal)
        note(f"{shown(file)}: removed the leftovers of a call that was killed after it had written its files")
    else:
        files = put_back(journal)
        names = ", ".join(map(shown, files)) or "none"
        note(
            f"{shown(file)}: a call was killed while it wrote {counted(len(journal.entries), 'file')};"
            f" put back as they were: {names}"
        )


def refuse_mixture(file: Path) -> None:
    """Looks at a journal whose call is over, for a call that only reads.

    Raises:
        InputError: that call was killed while it wrote, so that some files may be new and others old.
    """
    journal = _dead(file)
    if file.name == DONE or journal is None:
        note(f"{shown(file)}: a call was killed, but the files are whole; the next call with --write cleans up")
    else:
        raise InputError(
            f"a call was killed while it wrote {counted(len(journal.entries), 'file')}: some may be new and"
            " others old; migrate-config --write puts them back as they were, and then continues",
            Place(file),
        )
