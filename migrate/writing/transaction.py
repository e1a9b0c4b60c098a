"""All or none: prepare beside the targets, replace, say that it is done; or put everything back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrate.writing import disk
from migrate.writing.journal import DONE
from migrate.writing.journal import UNDONE
from migrate.writing.journal import remove
from migrate.writing.notes import note
from schema.errors import InputError
from schema.place import Place
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.writing.change import Change
    from migrate.writing.journal import Entry
    from migrate.writing.journal import Journal


class HalfWrittenError(InputError):
    """Some files are new and others are old, until a later call puts them back."""


def commit(journal: Journal, changes: Sequence[Change], checked: Sequence[Change]) -> None:
    """Replaces the files of a journal that is not written yet; its trees must be locked.

    Args:
        journal: what is to be done.
        changes: the files that it names, in its order.
        checked: files that must be what planning saw, too.

    Raises:
        InputError: it was not possible; the files are as they were.
        HalfWrittenError: it was not possible, and not all files could be put back.
    """
    with _writing(journal.home / UNDONE):
        journal.create()
    try:
        _carry_out(journal, changes, checked)
    except BaseException as error:
        _take_back(journal, error)
        raise
    try:
        clean_up(journal)
    except OSError as error:
        note(
            f"{shown(journal.home / DONE)}: all files are written, but what was kept beside them could not be"
            f" removed: {disk.reason(error)}; the next call with --write removes it"
        )


def _carry_out(journal: Journal, changes: Sequence[Change], checked: Sequence[Change]) -> None:
    with _writing(journal.home):
        disk.sync([journal.home])
    for folder in journal.folders:
        with _writing(folder):
            disk.make_folder(folder)
    for entry, change in zip(journal.entries, changes, strict=True):
        with _writing(entry.target):
            _prepare(entry, change.new)
    with _writing(journal.home):
        disk.sync([*journal.targets, *(folder.parent for folder in journal.folders)])
    for change in checked:
        change.check()
    for entry, change in zip(journal.entries, changes, strict=True):
        change.check()
        with _writing(entry.target):
            _replace(entry)
    with _writing(journal.home):
        disk.sync(journal.targets)
        journal.finish()


def _prepare(entry: Entry, content: bytes | None) -> None:
    # In this order: where a backup is without the new content, the target has been replaced.
    if content is not None:
        disk.create(entry.staged, content, like=entry.target if entry.old else None)
    if entry.old:
        disk.keep(entry.target, entry.backup)


def _replace(entry: Entry) -> None:
    if entry.new:
        disk.replace(entry.target, by=entry.staged)
    else:
        disk.remove(entry.target)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be written: {disk.reason(error)}", Place(path)) from error


def _take_back(journal: Journal, error: BaseException) -> None:
    if os.path.lexists(journal.home / DONE):  # interrupted when all was written
        return
    try:
        put_back(journal)
    except (OSError, InputError) as second:
        first = error if isinstance(error, InputError) else InputError(type(error).__name__)
        raise HalfWrittenError(
            f"{first.message}; and not every file could be put back: {_text(second)}; the next call with --write"
            f" tries again, from {shown(journal.home / UNDONE)}",
            first.place,
        ) from error


def _text(error: OSError | InputError) -> str:
    return str(error) if isinstance(error, InputError) else disk.described(error)


def put_back(journal: Journal) -> list[Path]:
    """Makes everything as it was before a call, however far it got; may be repeated.

    Returns:
        The files that had been replaced.

    Raises:
        InputError: a file that the call replaced was changed by hand since; nothing is touched.
        OSError: a file cannot be put back; those that can are.
    """
    for entry in journal.entries:
        _refuse_changed(entry)
    restored = [entry.target for entry in journal.entries if _undo(entry)]
    disk.sync(folder for folder in journal.targets if folder.is_dir())
    for folder in reversed(journal.folders):
        disk.remove_folder(folder)
    disk.sync(folder.parent for folder in journal.folders if folder.parent.is_dir())
    remove(journal.home / UNDONE)
    return restored


def _refuse_changed(entry: Entry) -> None:
    if os.path.lexists(entry.staged) or not os.path.lexists(entry.backup):
        return
    if disk.digest(entry.target) not in (entry.new, entry.old):
        raise InputError(
            "was changed by hand after a call of migrate-config had replaced it and was killed. Move"
            f" {shown(entry.backup)} over it to have it as it was before, or remove that file to keep it as it"
            " is; then run migrate-config --write again",
            Place(entry.target),
        )


def _undo(entry: Entry) -> bool:
    if os.path.lexists(entry.staged):  # not replaced yet
        disk.remove(entry.backup)
        disk.remove(entry.staged)
        return False
    replaced = disk.digest(entry.target) == entry.new
    if entry.old is None:
        if replaced:
            disk.remove(entry.target)
        return replaced
    if not os.path.lexists(entry.backup):
        return False
    if not replaced:
        disk.remove(entry.backup)
        return False
    disk.replace(entry.target, by=entry.backup)
    return True


def clean_up(journal: Journal) -> None:
    """Removes what a call that is done kept beside its files; may be repeated.

    Raises:
        OSError: something cannot be removed.
    """
    disk.sync([journal.home])  # from here on there is no way back
    for entry in journal.entries:
        disk.remove(entry.backup)
    disk.sync(folder for folder in journal.targets if folder.is_dir())
    remove(journal.home / DONE)
