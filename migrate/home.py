"""Where a layout keeps the settings of one side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.yamledit.document import comments_of
from migrate.yamledit.lookup import find
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.yamltext.edit import KEEP
from schema.yamltext.edit import Add
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from schema.yamltext import Document
    from schema.yamltext.edit import Edit

#: What counts as unset.
NOTHING: tuple[object, ...] = (None, [])


@dataclass(frozen=True, eq=False)
class Home:
    """The place of a side's settings in a file, and what they are.

    Attributes:
        document: the file; an empty one where it is not there yet.
        section: the keys that lead to the settings.
        own: what the file says.
        merged: the same together with its bases, which are migrated already.
        says_it: the reason why a setting that is said here, too, does not come here.
        has_it: the reason why a key of the other side that says nothing goes.
    """

    document: Document
    section: tuple[str, ...]
    own: Branch
    merged: Branch
    says_it: str
    has_it: str

    @property
    def file(self) -> Path:
        """The path of the file."""
        return self.document.path

    @cached_property
    def entries(self) -> dict[str, object]:
        """What the file itself says here."""
        here = self.own.find(*self.section)
        children = here.children if isinstance(here, Branch) else {}
        return {name: data(tree) for name, tree in children.items() if isinstance(name, str)}

    def path(self, name: str) -> tuple[str, ...]:
        """The keys that lead to a setting."""
        return (*self.section, name)

    def says(self, name: str) -> bool:
        """Whether the file itself sets a setting."""
        return self.entries.get(name) not in NOTHING

    def is_blank(self, name: str) -> bool:
        """Whether a setting stands in the file itself, and says nothing."""
        return name in self.entries and not self.says(name)

    def value(self, name: str) -> object:
        """What a setting is, with bases migrated."""
        return self.merged.value(*self.path(name))

    def comments(self, name: str) -> list[str]:
        """The comments that belong to a setting; none if it is not there."""
        path = self.path(name)
        return comments_of(self.document, path) if find(self.document, path) is not None else []

    def add(self, name: str, value: object, reason: str, after: str | None = None) -> Add:
        """The edit that sets a setting."""
        return Add(self.path(name), value, reason, after, self.file)

    def remove(self, name: str, reason: str) -> Remove:
        """The edit that takes a setting away."""
        return Remove(self.path(name), reason, file=self.file)

    def take(self, name: str, reason: str, source: Home, value: object = KEEP, after: str | None = None) -> Move:
        """The edit that brings a setting from another place."""
        return Move(source.path(name), self.path(name), reason, value, after, file=source.file, into=self.file)

    def is_written(self, edits: Iterable[Edit], name: str) -> bool:
        """Whether edits bring a value to a setting."""
        ends = (
            (edit.target, edit.to) if isinstance(edit, Move) else (edit.file, edit.path)
            for edit in edits
            if not isinstance(edit, Remove)
        )
        return (self.file, self.path(name)) in ends
