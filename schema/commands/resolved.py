"""Prints presets as they are once everything that they extend is merged, each value with its source."""

from __future__ import annotations

from itertools import chain
from math import inf
from typing import TYPE_CHECKING

from schema import check
from schema import secrets
from schema.commands.validate import absolute
from schema.commands.validate import workspace_of
from schema.exits import Exit
from schema.place import shown
from schema.printable import printable
from schema.pyyaml import yaml
from schema.resolve.tree import Branch
from schema.resolve.tree import data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from schema.layouts.preset import Preset


def show_resolved(files: Sequence[str]) -> Exit:
    """Prints each preset as one YAML document; a flat pair is two, the learner's first.

    Raises:
        InputError: a file cannot be read, or is no preset.
    """
    workspace = workspace_of(files)
    presets = [check.load(workspace, absolute(file)) for file in files]
    for preset in presets:
        if preset.kind in check.NO_PRESETS:
            raise check.no_grpo(preset)
    print("\n".join(chain.from_iterable(map(_documents, presets))))
    return Exit.OK


def _documents(preset: Preset) -> Iterator[str]:
    for tree in preset.trees:
        yield f"---  # {printable(shown(preset.resolved.path if tree is preset.tree else tree.place.file))}"
        for line in _lines(tree, 0, secret=False):
            yield printable(secrets.starred_line(line, preset.secrets))


def _lines(branch: Branch, depth: int, *, secret: bool) -> Iterator[str]:
    for name, tree in branch.children.items():
        head = f"{'  ' * depth}{_yaml(name)}:"
        hidden = secret or secrets.is_secret(str(name))
        if isinstance(tree, Branch) and tree.children:
            yield head
            yield from _lines(tree, depth + 1, secret=hidden)
        else:
            place = tree.place
            value = secrets.HIDDEN if hidden else _yaml(data(tree))
            yield f"{head} {value}  # {shown(place.file)}:{place.line}"


def _yaml(value: object) -> str:
    """A value on one line, as PyYAML writes it."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=inf, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
