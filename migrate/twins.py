"""Copies of presets that extend each other's copies, as the originals extend each other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.migration import Migration
from migrate.proof import prove
from migrate.yamledit.steps import apply
from schema.check import load
from schema.errors import InputError
from schema.layouts.flat import Flat
from schema.layouts.flat import server_half
from schema.place import Place
from schema.resolve import Workspace
from schema.resolve.extends import bases
from schema.resolve.tree import data
from schema.yamltext import parse
from schema.yamltext.edit import Change
from schema.yamltext.edit import at
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.yamledit.steps import Step
    from schema.yamltext import Document
    from schema.yamltext.edit import Edit


class Twin(NamedTuple):
    """A file and its copy.

    Attributes:
        source: the original, which stays.
        path: the copy.
        original: the original's text.
        text: the copy's text before it is migrated: it extends the copies of its bases.
        steps: what tells the two texts apart.
    """

    source: Path
    path: Path
    original: Document
    text: Document
    steps: list[Step]

    @property
    def copied(self) -> Migration:
        """The copy, before it is migrated."""
        return Migration(self.path, self.original, self.text, self.steps)


def copied(names: Mapping[Path, Path]) -> tuple[dict[Path, Twin], Workspace]:
    """Copies files, each by its original's path; also returns the files as they then are. Nothing is written.

    Raises:
        InputError: a file cannot be read, or its copy would mean something else.
    """
    twins = {twin.path: twin for source in names for twin in _twins(source, names)}
    # A half that an earlier call has left is not the copy's.
    halves = {server_half(copy): None for copy in names.values()}
    workspace = Workspace({**halves, **{path: twin.text.content for path, twin in twins.items()}})
    for twin in twins.values():
        _refuse_other_meaning(workspace, twin)
    return twins, workspace


def _refuse_other_meaning(copies: Workspace, twin: Twin) -> None:
    # A base that is known by a link in another folder has other bases there.
    if not same(data(load(Workspace(), twin.source).tree), data(load(copies, twin.path).tree)):
        raise InputError(
            "its copy would resolve differently: it names a base by a link in another folder; name the base"
            " itself",
            Place(twin.source),
        )


def _twins(source: Path, names: Mapping[Path, Path]) -> list[Twin]:
    workspace = Workspace()
    if isinstance(load(workspace, source), Flat):
        halves = {source: names[source], server_half(source): server_half(names[source])}
        there = {half: path for half, path in halves.items() if workspace.has(half)}
        copies = {half: parse(path, workspace.document(half).content) for half, path in there.items()}
        return [Twin(half, copy.path, copy, copy, []) for half, copy in copies.items()]
    copy = parse(names[source], workspace.document(source).content)
    edits = at(copy.path, _extending(copy, bases(source, workspace.tree(source)), names))
    new, steps = apply({copy.path: copy}, edits)
    twin = Twin(source, names[source], copy, new[copy.path], steps)
    prove([twin.copied], steps)
    return [twin]


def _extending(copy: Document, named: Sequence[tuple[Path, object]], names: Mapping[Path, Path]) -> list[Edit]:
    """The edits of a copy that name every base which is copied, too, by its copy."""
    value = copy.data().get("extends")
    entries = value if isinstance(value, list) else [value]
    wanted = [_entry(copy.path, str(entry), base, names) for entry, (base, _) in zip(entries, named, strict=False)]
    whole: object = wanted if isinstance(value, list) else next(iter(wanted), None)
    return [] if entries == wanted or not wanted else [Change(("extends",), whole, "the base's copy")]


def _entry(path: Path, entry: str, base: Path, names: Mapping[Path, Path]) -> str:
    """How a file names a base: as it did, with the copy's name; a base known by a link, by its own path."""
    source = next((path for path in names if os.path.realpath(path) == os.path.realpath(base)), None)
    if source is None:
        return entry
    if source == base and entry.endswith(base.name):
        return entry.removesuffix(base.name) + names[source].name
    return os.path.relpath(names[source], path.parent)
