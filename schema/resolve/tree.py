"""Values with provenance: what a preset says, and the file, line and column that says it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias
from typing import overload

from schema.place import Place
from schema.place import made
from schema.yamltext.construct import Constructor
from schema.yamltext.construct import dereferenced
from schema.yamltext.document import remembered
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Node

if TYPE_CHECKING:
    from schema.yamltext import Document


class Leaf(NamedTuple):
    """A scalar or a list; `place` is where the value starts, `key` where its key does."""

    value: object
    place: Place
    key: Place


class Branch(NamedTuple):
    """A mapping; `place` and `key` are those of the last file that wrote into it."""

    children: dict[object, Tree]
    place: Place
    key: Place

    def find(self, *path: object) -> Tree | None:
        """The subtree at a path, or None; a null counts as unset, for a merge cannot delete a key."""
        here: Tree | None = self
        for name in path:
            if not isinstance(here, Branch):
                return None
            here = here.children.get(name)
        return None if isinstance(here, Leaf) and here.value is None else here

    def leaf(self, *path: object) -> Leaf | None:
        """The leaf at a path, or None if there is none, or a mapping."""
        found = self.find(*path)
        return found if isinstance(found, Leaf) else None

    def value(self, *path: object, default: object = None) -> object:
        """The plain data at a path, or the default if it is unset."""
        found = self.find(*path)
        return default if found is None else data(found)


Tree: TypeAlias = Leaf | Branch


@overload
def data(tree: Branch) -> dict[object, object]: ...
@overload
def data(tree: Leaf) -> object: ...


def data(tree: Tree) -> object:
    """The plain data of a tree."""
    if isinstance(tree, Leaf):
        return tree.value
    return {key: data(child) for key, child in tree.children.items()}


@remembered
def of_document(document: Document) -> Branch:
    """The tree of one file, before any merging.

    Raises:
        InputError: what Constructor.data raises.
    """
    constructor = document.constructor()
    if document.root is None:
        start = Place(document.path)
        return Branch({}, start, start)
    start = constructor.place(document.root)
    return Branch(_children(constructor, document.root), start, start)


def _children(constructor: Constructor, mapping: Mapping) -> dict[object, Tree]:
    return {key: _tree(constructor, entry.key, entry.value) for key, entry in constructor.entries(mapping).items()}


def _tree(constructor: Constructor, key: Node, value: Node) -> Tree:
    target = dereferenced(value)
    place, key_place = constructor.place(value), constructor.place(key)
    if isinstance(target, Mapping):
        return Branch(_children(constructor, target), place, key_place)
    return made(Leaf, (constructor.data(value), place, key_place))


def merge(base: Branch, over: Branch) -> Branch:
    """`over` on top of `base`: mappings merge deeply, lists and scalars replace."""
    children = dict(base.children)
    for key, tree in over.children.items():
        below = children.get(key)
        if isinstance(below, Branch) and isinstance(tree, Branch):
            children[key] = merge(below, tree)
        else:
            children[key] = tree
    return Branch(children, over.place, over.key)
