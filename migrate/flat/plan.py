"""From one pair to the proven new text of both files, or to a refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.compare import refuse_new
from migrate.flat import to_colocate
from migrate.flat import to_server
from migrate.flat.half import Half
from migrate.flat.half import report
from migrate.flat.pair import Pair
from migrate.flat.proof import prove
from migrate.proof import ProofError
from migrate.refusals import about
from migrate.refusals import implied_mode
from migrate.refusals import options
from migrate.refusals import refuse_unfit
from migrate.yamledit.edits import apply
from schema.check import context
from schema.check import load
from schema.errors import InputError
from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.resolve import Workspace
from schema.resolve.tree import Branch
from schema.yamltext import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.compare import Old
    from migrate.target import Target
    from migrate.yamledit.edits import Edit
    from schema.yamltext import Document

#: What makes the edits of both files, by the mode that they aim at.
_EDITS = {"server": to_server.edits, "colocate": to_colocate.edits}


def plan(workspace: Workspace, preset: Flat, target: Target) -> tuple[list[Half], list[Old]]:
    """Plans the migration of a pair; also returns the errors that it has before and after.

    Args:
        workspace: has read the pair.
        preset: the pair; its server's file need not be there yet.
        target: the mode, the split and the server's address.

    Raises:
        InputError: the pair is no GRPO preset, or the migration is refused.
        ProofError: a defect: the new text is not what was planned.
    """
    with about(preset.resolved.path):
        halves = _halves(workspace, preset, target)
    changes = any(half.changes for half in halves)
    if changes:
        prove(halves)
    new = Workspace({**workspace.overlay, **{half.path: half.content for half in halves}})
    after = load(new, preset.resolved.path)
    if not isinstance(after, Flat):
        raise ProofError("the result is no flat preset")
    old = refuse_new(workspace, new, preset.resolved.path, target) if changes or target.resplits else []
    if changes and any(half.changes for half in _halves(new, after, replace(target, is_settled=True))):
        raise ProofError("migrating the result again would change it")
    return halves, old


def _halves(workspace: Workspace, preset: Flat, target: Target) -> list[Half]:
    refuse_unfit(preset, target, is_base=False)
    _refuse_odd_keys(preset)
    leaves = implied_mode(preset) != target.to
    pair = Pair(context(workspace, preset, options(target)), target, leaves)
    edits, others = _EDITS[target.to](pair)
    there = preset.server is not None
    goes = there and leaves and target.to == "colocate"
    halves = [Half(pair.path, pair.learner, apply(pair.learner, edits), edits)]
    if there or others:
        rest = parse(pair.server_path, b"") if goes else _server(pair, others)
        halves.append(Half(pair.server_path, pair.server, rest, others, there=there, goes=goes))
    return report(halves)


def _refuse_odd_keys(preset: Flat) -> None:
    # 2024-01-04 as a key is a date, and no line of the text is found by its name.
    for half in preset.trees:
        environment = half.find(ENVIRONMENT)
        children = environment.children if isinstance(environment, Branch) else {}
        for name, tree in (*half.children.items(), *children.items()):
            if not isinstance(name, str):
                raise InputError(f"the key {name!r} is no name of a setting; quote it, or remove it", tree.key)


def _server(pair: Pair, edits: Sequence[Edit]) -> Document:
    if pair.preset.server is not None or not edits:
        return apply(pair.server, list(edits))
    newline = "\r\n" if "\r\n" in pair.learner.text else "\n"
    heading = f"# What `swift rollout` reads: the server of {pair.path.name}.{newline * 2}"
    return apply(parse(pair.server_path, heading.encode()), list(edits))
