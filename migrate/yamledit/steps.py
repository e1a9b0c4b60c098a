"""Makes edits one after the other, each proven before the next; what each took along, and what it left."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from migrate.yamledit import document as text
from migrate.yamledit import splices
from migrate.yamledit.lookup import dotted
from migrate.yamledit.lookup import find
from migrate.yamledit.regions import unsafe
from schema.errors import InputError
from schema.place import Place
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune
from schema.yamltext.edit import Remove
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path as FilePath

    from schema.yamltext import Document
    from schema.yamltext.edit import Edit
    from schema.yamltext.edit import Path

#: Documents by their path.
Files: TypeAlias = "Mapping[FilePath, Document]"
#: The files that an edit makes, and the comments that leave with its key.
Made: TypeAlias = "tuple[dict[FilePath, Document], tuple[str, ...]]"

#: Line breaks that YAML 1.1 knows beside LF and CRLF; YAML 1.2, and line by line editing, do not.
_ODD_BREAK = re.compile(r"\r(?!\n)|[\x85\u2028\u2029]")
#: Characters that all edits of a call may read: each reads its whole file, some million a second.
MOST = 1 << 22


class Step(NamedTuple):
    """An edit that was made.

    Attributes:
        edit: the edit, with the number of comment lines that left with its key.
        comments: the comments that left with its key, without their indentation.
        stayed: those directly above the key that stayed, although it left.
    """

    edit: Edit
    comments: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()

    @property
    def gone(self) -> tuple[str, ...]:
        """The comments that are in no file any more."""
        return self.comments if isinstance(self.edit, Remove) else ()

    def touches(self, file: FilePath) -> bool:
        """Whether the edit is made in a file, or brings something to it."""
        return file in (self.edit.file, self.edit.target if isinstance(self.edit, Move) else self.edit.file)


class Edited(NamedTuple):
    """Files with all edits made, and the steps that led there."""

    files: dict[FilePath, Document]
    steps: list[Step]


def apply(files: Files, edits: Sequence[Edit], going: Collection[FilePath] = ()) -> Edited:
    """Makes edits one after the other; the text of a file that will not be there afterwards need not change.

    Raises:
        InputError: an edit has no safe splice, or all together would take minutes.
    """
    for document in files.values():
        _refuse_odd_breaks(document, edits)
    refuse_many(files, edits)
    now, steps = dict(files), []
    for step in _settled(files, edits, going):
        new, comments = _made(files, now, step.edit, going)
        steps.append(step._replace(comments=comments))
        now |= new
    return Edited(now, steps)


def _refuse_odd_breaks(document: Document, edits: Sequence[Edit]) -> None:
    edited = any(edit.file == document.path for edit in edits)
    if edited and (odd := _ODD_BREAK.search(document.text)):
        line = document.text.count("\n", 0, odd.start()) + 1
        raise unsafe(Place(document.path, line), f"the line ends in {odd[0]!a}, neither in LF nor in CRLF")


def refuse_many(files: Files, edits: Sequence[Edit]) -> None:
    """Refuses edits that all together would take minutes.

    Raises:
        InputError: naming their number.
    """
    if sum(len(files[edit.file].text) for edit in edits) > MOST:
        path = edits[0].file
        raise InputError(
            f"{len(edits)} settings would change, which is too many for files of this size", Place(path)
        )


def _settled(files: Files, edits: Sequence[Edit], going: Collection[FilePath]) -> Iterator[Step]:
    """The edits, each with the comment lines that leave with its key, before any edit is made.

    Afterwards what stayed above one key would stand above the next.
    """
    emptied = [(edit.file, edit.path) for edit in edits if isinstance(edit, Prune)]
    for edit in edits:
        document = files[edit.file]
        if not isinstance(edit, Remove | Move) or not _stands(document, edit.path):
            yield Step(edit)
            continue
        block = text.block_above(document, edit.path)
        # Nothing can stay where nothing is left.
        sole = edit.file in going or any(_is_below(edit, *mapping) for mapping in emptied)
        above = len(block) if sole and isinstance(edit, Move) else splices.own_lines(document, edit)
        yield Step(replace(edit, above=above), stayed=() if sole else tuple(block[: len(block) - above]))


def _is_below(edit: Edit, file: FilePath, path: Path) -> bool:
    return edit.file == file and edit.path != path and edit.path[: len(path)] == path


def _stands(document: Document, path: Path) -> bool:
    """Whether a key is in the text and can be cut out; where it cannot, making the edit says so."""
    with suppress(InputError):
        if find(document, path) is not None:
            text.block_above(document, path)
            return True
    return False


def _made(original: Files, now: Files, edit: Edit, going: Collection[FilePath]) -> Made:
    try:
        return _applied(now, edit, going)
    except InputError as error:
        raise _placed(original, edit, going, error) from error


def _placed(original: Files, edit: Edit, going: Collection[FilePath], error: InputError) -> InputError:
    # The same refusal, with its place in the file as it is.
    try:
        _applied(original, edit, going)
    except InputError as refused:
        if refused.message == error.message:
            return refused
    except KeyError:  # it follows a key that an earlier edit adds
        return error
    return InputError(error.message, splices.place_of(original[edit.file], edit.path))


def _applied(files: Files, edit: Edit, going: Collection[FilePath]) -> Made:
    comments = _comments(files[edit.file], edit)
    new = _texts(files, edit, going)
    after = {file: splices.reparsed(files[file], content, edit.path) for file, content in new.items()}
    planned = {file: files[file].data() for file in {edit.file, *new}}
    edit.on_data(planned)
    if not all(same(planned[file], document.data()) for file, document in after.items()):
        reason = f"with {dotted(edit.path)} changed, another value would be read differently"
        raise unsafe(splices.place_of(files[edit.file], edit.path), reason)
    return after, comments


def _comments(document: Document, edit: Edit) -> tuple[str, ...]:
    """The comments that leave with the key: an entry may have got its line to itself by an earlier edit."""
    if not isinstance(edit, Remove | Move):
        return ()
    return tuple(text.comments_of(document, edit.path, splices.own_lines(document, edit)))


def _texts(files: Files, edit: Edit, going: Collection[FilePath]) -> dict[FilePath, str]:
    """The new texts that an edit makes, less that of a file that goes."""
    if edit.file not in going:
        return splices.spliced(edit, files)
    if isinstance(edit, Move):
        return {edit.target: splices.arrived(edit, files[edit.target], splices.taken(edit, files[edit.file]))}
    return {}
