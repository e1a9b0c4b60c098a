"""A call: its trees are locked from before it plans until it has written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrate.writing.change import resolved
from migrate.writing.journal import Journal
from migrate.writing.lock import Locks
from migrate.writing.notes import note
from migrate.writing.recovery import journals
from migrate.writing.recovery import recover
from migrate.writing.recovery import refuse_mixture
from migrate.writing.transaction import HalfWrittenError
from migrate.writing.transaction import commit
from migrate.writing.trees import home_of
from migrate.writing.trees import tree_of
from schema.errors import InputError
from schema.place import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.writing.change import Change


class Session:
    """What a call holds.

    Args:
        alone: whether it writes; if not, other calls that only read may be at work, too.
    """

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._locks = Locks(alone=alone)

    def take(self, trees: set[Path]) -> None:
        """Locks trees, and sees to what killed calls have left there.

        Raises:
            InputError: another call is at work there, or something has to be done by hand first.
        """
        self._locks.take(lambda: trees.union(file.parent for file in journals(trees)))
        for file in journals(trees):
            if self._alone:
                recover(file)
            else:
                refuse_mixture(file)

    def write(self, changes: Sequence[Change]) -> None:
        """Makes files what they are to become: all of them, or none.

        Raises:
            InputError: a file is not what planning saw, or cannot be written; the message says what holds now.
        """
        try:
            self._write(resolved(changes))
        except HalfWrittenError:
            raise
        except InputError as error:
            raise InputError(f"{error.message}; no file was changed", error.place) from error

    def _write(self, files: Sequence[Change]) -> None:
        for file in files:
            file.check()
        written = [file for file in files if file.writes]
        if not written:
            return
        trees = {tree_of(file.path) for file in written}
        home = home_of(trees)
        self.take({*trees, home})
        owners = [_owner(file.path) for file in written]
        commit(Journal.of(home, written), written, [file for file in files if not file.writes])
        for file, was in zip(written, owners, strict=True):
            if was is not None and _owner(file.path) not in (was, None):
                note(
                    f"{shown(file.path)}: is yours now; only root can leave it to the user (id {was}) that it had"
                )

    def release(self) -> None:
        """Lets other calls in."""
        self._locks.release()


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None


@contextmanager
def locked(paths: Iterable[Path], *, alone: bool) -> Iterator[Session]:
    """Locks the trees of files and folders; see Session.take for what it raises."""
    session = Session(alone=alone)
    try:
        session.take({tree_of(path) for path in paths})
        yield session
    finally:
        session.release()
