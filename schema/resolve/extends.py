"""`extends`: a string or a list, relative to the file; bases merge in order, the file itself last."""

from __future__ import annotations

import os
from functools import cached_property
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from schema.errors import ExtendsError
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import merge

if TYPE_CHECKING:
    from schema.resolve.workspace import Workspace

#: Files that one preset may pull in; more is a mistake, not a preset.
MAX_FILES = 100
_NO_PATHS = "extends takes a path, or a list of paths"


class Resolved:
    """A preset with all its bases merged.

    Attributes:
        path: the leaf, the file that was named.
        files: every file that took part, in merge order: the bases first, the leaf last.
        tree: the merged values, each with its place; the key `extends` is taken out.
    """

    def __init__(self, path: Path, files: tuple[Path, ...], tree: Branch) -> None:
        self.path = path
        self.files = files
        self.tree = tree

    @property
    def bases(self) -> list[Path]:
        """All files but the leaf."""
        return [file for file in self.files if file != self.path]

    @cached_property
    def real_bases(self) -> frozenset[str]:
        """The same with links followed: a file may have several names."""
        return frozenset(map(os.path.realpath, self.bases))


def resolve(workspace: Workspace, path: Path, root: Path | None) -> Resolved:
    """Resolves a preset, given the absolute path of the leaf, and the project's root if it has a marked one.

    Raises:
        InputError: a base is missing or outside the root, `extends` is no path or list of paths, the files
            extend each other in a circle, the key `inherit` is used, or a file cannot be read.
    """
    walk = _Walk(workspace, root)
    tree = walk.merged(path, ())
    return Resolved(path, tuple(walk.files), tree)


class _Walk:
    def __init__(self, workspace: Workspace, root: Path | None) -> None:
        self._workspace = workspace
        self._root = root
        self._merged: dict[Path, Branch] = {}
        self.files: list[Path] = []

    def merged(self, path: Path, chain: tuple[Path, ...]) -> Branch:
        if path not in self._merged:
            self._merged[path] = self._merge(path, chain)
        return self._merged[path]

    def _merge(self, path: Path, chain: tuple[Path, ...]) -> Branch:
        own = self._workspace.tree(path)
        _refuse_inherit(own)
        if len(self.files) + len(chain) >= MAX_FILES:
            raise ExtendsError(f"this preset pulls in more than {MAX_FILES} files", own.place)
        tree: Branch | None = None
        for base, named in bases(path, own):
            self._check(base, named, (*chain, path))
            below = self.merged(base, (*chain, path))
            tree = below if tree is None else merge(tree, below)
        self.files.append(path)
        bare = Branch({k: v for k, v in own.children.items() if k != "extends"}, own.place, own.key)
        return bare if tree is None else merge(tree, bare)

    def _check(self, base: Path, named: Leaf, chain: tuple[Path, ...]) -> None:
        if base in chain:
            circle = " -> ".join(step.name for step in (*chain[chain.index(base) :], base))
            raise ExtendsError(f"the files extend each other in a circle: {circle}", named.place)
        if self._root is not None and not _is_inside(base, self._root):
            raise ExtendsError(f"extends {base}, which is outside the project root {self._root}", named.place)
        if not self._workspace.has(base):
            raise ExtendsError(f"extends {base}, which does not exist", named.place)


def bases(path: Path, own: Branch) -> list[tuple[Path, Leaf]]:
    """The bases that a file names, as absolute paths, each with the value that names it.

    Raises:
        InputError: `extends` is no path or list of paths.
    """
    value = own.find("extends")
    if value is None:
        return []
    if not isinstance(value, Leaf):
        raise ExtendsError(_NO_PATHS, value.place)
    folder = path.parent
    names = [value.value] if isinstance(value.value, str) else value.value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ExtendsError(_NO_PATHS, value.place)
    return [(_base(folder, name), value) for name in names]


# Many presets name the same bases.
@lru_cache(maxsize=1024)
def _base(folder: Path, name: str) -> Path:
    return Path(os.path.normpath(folder / name))


@lru_cache(maxsize=1024)
def _is_inside(base: Path, root: Path) -> bool:
    return base.is_relative_to(root)


def _refuse_inherit(own: Branch) -> None:
    found = own.children.get("inherit")
    if found is not None:
        raise ExtendsError("the key `inherit` is not read by anything; did you mean `extends`?", found.key)
