"""One pair of a call: what both files say."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.aim import Aim
from migrate.home import Home
from schema.errors import InputError
from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.layouts.flat import server_half
from schema.resolve.tree import Branch
from schema.yamltext import parse
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from pathlib import Path

    from schema.yamltext import Document


@dataclass(frozen=True, eq=False)
class Pair(Aim):
    """One pair of a call: the learner's file, and the server's, which need not be there."""

    @property
    def preset(self) -> Flat:
        """The pair as it is now."""
        preset = super().preset
        if not isinstance(preset, Flat):
            raise TypeError(f"{preset.layout} is not the flat layout")
        return preset

    @property
    def server_path(self) -> Path:
        """The server's file, which need not be there."""
        return server_half(self.path)

    @property
    def going(self) -> tuple[Path, ...]:
        """The server's file, when the learner's own engine generates again."""
        goes = self.preset.server is not None and self.changes_mode and self.target.to == "colocate"
        return (self.server_path,) if goes else ()

    @cached_property
    def learner(self) -> Home:
        """The learner's file."""
        return self._home(self.path, self.own, self.own)

    @cached_property
    def server(self) -> Home:
        """The server's file without its environment; one with a heading if it is not there."""
        own, block = self._half, self.preset.block or self._half
        entries = {**own.children, **block.children}
        if isinstance(entries.get(ENVIRONMENT), Branch):
            del entries[ENVIRONMENT]
        return self._home(self.server_path, own._replace(children=entries), block)

    @cached_property
    def environments(self) -> tuple[Home, Home]:
        """The variables of both sides."""
        homes = (self.learner, replace(self.server, own=self._half))
        learner, server = (replace(home, section=(ENVIRONMENT,)) for home in homes)
        return learner, server

    @property
    def _half(self) -> Branch:
        return self.preset.server or Branch({}, self.preset.start, self.preset.start)

    def _home(self, file: Path, own: Branch, merged: Branch) -> Home:
        workspace = self.context.workspace
        document = workspace.document(file) if workspace.has(file) else self._heading()
        return Home(document, (), own, merged, f"{file.name} sets it already", f"{file.name} has its value")

    def _heading(self) -> Document:
        newline = "\r\n" if "\r\n" in self.learner.document.text else "\n"
        heading = f"# What `swift rollout` reads: the server of {self.path.name}.{newline * 2}"
        return parse(self.server_path, heading.encode())

    def listed(self, value: object) -> object:
        """Plain: ms-swift's YAML reader crashes on numbers in lists (4.5.2, cli/main.py:63)."""
        return value

    def spelled(self, there: object, value: object) -> object:
        """A list of one stays one, with its comments; as text, for the same reason."""
        if not isinstance(there, list) or len(there) != 1:
            return value
        return there if same(there, [value]) else [str(value)]


def refuse_odd_keys(preset: Flat) -> None:
    """Refuses keys that are no texts: 2024-01-04 is a date, and no line of the text is found by its name.

    Raises:
        InputError: naming the first of them.
    """
    for half in preset.trees:
        environment = half.find(ENVIRONMENT)
        children = environment.children if isinstance(environment, Branch) else {}
        for name, tree in (*half.children.items(), *children.items()):
            if not isinstance(name, str):
                raise InputError(
                    f"the key {name!r} is not the name of a setting; quote it, or remove it", tree.key
                )
