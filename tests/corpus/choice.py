"""Which edits are tried on a file: chosen by a hash of its content, so the same in every run and for every editor.

Keys are found with PyYAML's composer, which the editor under test does not use.
"""

from __future__ import annotations

import copy
import hashlib
import random
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import NamedTuple

import yaml

Path = tuple[Any, ...]

NEW = "rollout_split_inserted"
#: New values: numbers in every spelling that readers fall over, and texts that look like something else.
VALUES = (7, 0.5, 1e-05, 3e20, True, None, "server", "no", "a: b # c", "12:30:00", "1e-5", "2024-01-01", "",
          "it's", "ünï 漢字 🎉", "- x", "0x1F", "~", "two\nlines", "{a, b]")  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """One edit: `name` is its row in the tables, `slack` how many more lines than its own it may touch."""

    name: str
    kind: str
    path: Path
    value: Any = None
    to: Path = ()
    slack: int = 0


class Key(NamedTuple):
    """A key of the file and what stands around it."""

    path: Path
    index: int  # type: ignore[assignment]
    siblings: int
    flow: bool
    in_item: bool
    kind: str


class Target(NamedTuple):
    """A mapping that keys can go to."""

    path: Path
    flow: bool
    size: int


@dataclass
class Keys:
    """All keys and mappings of a file."""

    keys: list[Key] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def keys_of(text: str) -> Keys:
    """Finds the keys; what is reached a second time, through an alias, is left out."""
    found = Keys()
    root = yaml.compose(text, yaml.CSafeLoader)
    _walk(found, root, (), set(), yaml.SafeLoader(""), in_item=False)
    return found


def _walk(found: Keys, node: Any, path: Path, seen: set[int], loader: Any, *, in_item: bool) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(found, item, (*path, index), seen, loader, in_item=True)
    if isinstance(node, yaml.MappingNode):
        flow = bool(node.flow_style)
        found.targets.append(Target(path, flow, len(node.value)))
        for index, (key, value) in enumerate(node.value):
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            here = (*path, loader.construct_object(key))
            kind = "alias" if id(value) in seen else _kind(value)
            found.keys.append(Key(here, index, len(node.value), flow, in_item, kind))
            _walk(found, value, here, seen, loader, in_item=False)


def _kind(node: Any) -> str:
    if isinstance(node, yaml.ScalarNode):
        return "block scalar" if node.style in ("|", ">") else "scalar"
    return "collection"


def edits_of(content: bytes, text: str) -> list[Edit]:
    """The edits that are tried on a file."""
    found = keys_of(text)
    # Keys whose path stands twice (duplicate keys) have no meaning that an edit could keep.
    paths = [key.path for key in found.keys]
    keys = (
        [key for key in found.keys if paths.count(key.path) == 1] if len(set(paths)) < len(paths) else found.keys
    )
    dice = random.Random(hashlib.sha256(content).digest())
    return [*_sets(keys, dice), *_deletes(keys, dice), *_inserts(found.targets, dice), *_moves(keys, found, dice)]


def _pick(dice: random.Random, options: list[Any]) -> list[Any]:
    return [dice.choice(options)] if options else []


def _sets(keys: list[Key], dice: random.Random) -> list[Edit]:
    scalars = [key for key in keys if key.kind == "scalar"]
    groups = {
        "set": [key for key in scalars if not key.flow],
        "set in flow": [key for key in scalars if key.flow],
        "set in list item": [key for key in scalars if key.in_item and not key.flow],
        "set block scalar": [key for key in keys if key.kind == "block scalar"],
    }
    return [
        Edit(name, "set", key.path, dice.choice(VALUES), slack=int(key.flow))
        for name, group in groups.items()
        for key in _pick(dice, group)
    ]


def _deletes(keys: list[Key], dice: random.Random) -> list[Edit]:
    block = [key for key in keys if not key.flow]
    groups = {
        "delete first": [key for key in block if key.index == 0 and key.siblings > 1],
        "delete middle": [key for key in block if 0 < key.index < key.siblings - 1],
        "delete last": [key for key in block if key.index == key.siblings - 1 > 0],
        "delete only": [key for key in block if key.siblings == 1 and len(key.path) > 1],
        "delete collection": [key for key in block if key.kind == "collection" and key.siblings > 1],
        "delete in flow": [key for key in keys if key.flow],
        "delete in list item": [key for key in block if key.in_item and key.siblings > 1],
    }
    return [
        Edit(name, "delete", key.path, slack=_source_slack(key))
        for name, group in groups.items()
        for key in _pick(dice, group)
    ]


def _source_slack(key: Key) -> int:
    # The line that gets the dash, the one that gets `{}`, or the one that the flow mapping stands on.
    return 2 if key.flow else int(key.siblings == 1 or (key.in_item and key.index == 0))


def _inserts(targets: list[Target], dice: random.Random) -> list[Edit]:
    block = [target for target in targets if not target.flow]
    flow = [target for target in targets if target.flow]
    value = dice.choice(VALUES)
    return [
        *(Edit("insert", "insert", (*target.path, NEW), value) for target in _pick(dice, block)),
        *(Edit("insert path", "insert", (*target.path, NEW, "deep"), value) for target in _pick(dice, block)),
        *(Edit("insert in flow", "insert", (*target.path, NEW), value, slack=1) for target in _pick(dice, flow)),
    ]


def _moves(keys: list[Key], found: Keys, dice: random.Random) -> list[Edit]:
    groups = {
        "move": [key for key in keys if not key.flow and key.kind == "scalar"],
        "move collection": [key for key in keys if not key.flow and key.kind == "collection"],
        "move out of flow": [key for key in keys if key.flow],
    }
    made = []
    for name, group in groups.items():
        for key in _pick(dice, group):
            places = [target for target in found.targets if _is_place(target, key, found)]
            made += [
                Edit(name, "move", key.path, to=target.path, slack=_source_slack(key))
                for target in _pick(dice, places)
            ]
    return made


def _is_place(target: Target, key: Key, found: Keys) -> bool:
    inside = target.path[: len(key.path)] == key.path
    taken = any(other.path == (*target.path, key.path[-1]) for other in found.keys)
    return not target.flow and not inside and not taken and target.size > 0


def intended(data: Any, edit: Edit) -> Any:
    """What an edit makes of plain data."""
    data = copy.deepcopy(data)
    make(data, edit)
    return data


def make(data: Any, edit: Edit) -> None:
    """Makes an edit in data, plain or as an editor has it."""
    parent: Any = _at(data, edit.path[:-1]) if edit.kind != "insert" else None
    if edit.kind == "set":
        parent[edit.path[-1]] = edit.value
    elif edit.kind == "delete":
        del parent[edit.path[-1]]
    elif edit.kind == "move":
        _at(data, edit.to)[edit.path[-1]] = parent.pop(edit.path[-1])
    else:
        _at(data, edit.path[: edit.path.index(NEW)])[NEW] = nested(edit)


def nested(edit: Edit) -> Any:
    """The value of a new key, with the mappings around it."""
    value = edit.value
    for name in reversed(edit.path[edit.path.index(NEW) + 1 :]):
        value = {name: value}
    return value


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
