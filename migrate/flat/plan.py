"""From one pair to the new text of both files, or to a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.flat.directions import DIRECTIONS
from migrate.migration import Group
from migrate.migration import Migration
from migrate.yamledit.steps import apply
from schema.errors import InputError
from schema.layouts.flat import ENVIRONMENT
from schema.resolve.tree import Branch
from schema.yamltext import parse

if TYPE_CHECKING:
    from migrate.flat.pair import Pair
    from schema.layouts.flat import Flat


def edited(pair: Pair) -> Group:
    """Both files of a pair, migrated.

    Raises:
        InputError: the migration is refused.
    """
    _refuse_odd_keys(pair.preset)
    edits = DIRECTIONS[pair.target.to](pair).edits()
    there = pair.preset.server is not None
    going = [pair.server_path] if there and pair.changes_mode and pair.target.to == "colocate" else []
    old = {home.file: home.document for home in (pair.learner, pair.server)}
    new, steps = apply(old, edits, going)
    files = [
        Migration(
            path,
            old[path],
            parse(path, b"") if path in going else new[path],
            [step for step in steps if step.touches(path)],
            there=there or path == pair.path,
            goes=path in going,
        )
        for path in old
    ]
    return Group([file for file in files if file.there or file.steps], steps)


def _refuse_odd_keys(preset: Flat) -> None:
    # 2024-01-04 as a key is a date, and no line of the text is found by its name.
    for half in preset.trees:
        environment = half.find(ENVIRONMENT)
        children = environment.children if isinstance(environment, Branch) else {}
        for name, tree in (*half.children.items(), *children.items()):
            if not isinstance(name, str):
                raise InputError(
                    f"the key {name!r} is not the name of a setting; quote it, or remove it", tree.key
                )
