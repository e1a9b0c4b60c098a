"""Rules about keys: unknown ones, and missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import fixes
from schema.catalogue import lifetime
from schema.catalogue import release
from schema.layouts.nested import DEEPSPEED_KEYS
from schema.layouts.nested import NO_SECTIONS
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument
from schema.swift.renamed import RENAMED
from schema.swift.roles import ROLES
from schema.swift.roles import UNREAD_IN_COLOCATE
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator

    from schema.catalogue import Lifetime
    from schema.context import Context
    from schema.fixes import Edits
    from schema.layouts.preset import Setting
    from schema.place import Place
    from schema.resolve.tree import Tree
    from schema.yamltext.edit import Path

#: Roles of fields that act on a rollout server.
_ACTS = (Role.SERVER, Role.REFUSED, Role.GUARD)
_REMAINING = "ValueError: remaining_argv"
_OWNED = ", or name it under repository-keys in [tool.rollout-split] if the training repository removes it"


@rule("unknown-key", components=True)
def unknown_key(context: Context) -> Iterator[Problem]:
    """A key that nothing reads.

    On a command line ms-swift refuses it without a hint (`remaining_argv`, ms-swift 4.5.2,
    pipelines/base.py:46); passed as a keyword it is a TypeError; at the top level, or in the server's
    block, nothing would notice it.
    """
    sections = context.preset.top_level
    if sections:
        yield from _unread(context, context.preset.tree, (), sections)
        yield from _unread(context, context.preset.tree.find("deepspeed"), ("deepspeed",), DEEPSPEED_KEYS)
    for setting in context.unknown:
        yield _unknown(context, setting)
    yield from _unknown_in_block(context)


def _unread(context: Context, branch: Tree | None, above: Path, known: Collection[str]) -> Iterator[Problem]:
    """Keys of a mapping of which only some are read."""
    if not isinstance(branch, Branch):
        return
    for name, tree in branch.children.items():
        if name in known or data(tree) is None:
            continue
        path, meant = (*above, str(name)), _meant(context, str(name), known)
        named = f"key {'.'.join(path)}" if above else f"section {name}"
        fits = bool(above) or (isinstance(tree, Branch) and meant not in NO_SECTIONS)
        fix, edits = _rename_or_remove(context, tree.key, path, meant if fits else None, known)
        yield Problem(tree.key, f"unknown {named}{_hint(meant)}", "nothing reads it", fix, edits=edits)


def _rename_or_remove(
    context: Context, key: Place, path: Path, meant: str | None, known: Collection[str]
) -> tuple[str, Edits]:
    """The fix for a key that nothing reads."""
    edits = fixes.rename(context, key, path, meant, known) if meant else ()
    return f"rename it to {meant}" if edits else "rename or remove it", edits


def _unknown(context: Context, setting: Setting) -> Problem:
    meant = _meant(context, setting.name, context.release.trainer)
    row = ROLES.get(setting.name)
    own, edits = "" if context.preset.apart else _OWNED, _edits(context, setting, meant)
    if setting.name in context.release.server:
        hint = "; it is an argument of `swift rollout`, not of the learner"
        if row is not None and row.role in (Role.SERVER, Role.BOTH):
            own = f", or move it to {context.preset.server_path()}"
    elif (life := lifetime("trainer", setting.name)) is not None:
        hint = f"; only ms-swift {_span(life)} has it"
    else:
        hint = _hint(meant)
    return Problem(
        setting.key,
        f"unknown key {setting.path}{hint}",
        f"{context.swift}: {_REMAINING}",
        _renamed(context, setting, meant) if meant else f"remove it{own}",
        edits=edits,
    )


def _edits(context: Context, setting: Setting, meant: str | None) -> Edits:
    """A new name, where that is the fix; what a release no longer has goes if it was at its default."""
    key, path, known = setting.key, setting.steps, context.release.trainer
    if meant is not None:
        fits = argument.problem(known[meant], setting.value) is None
        free = fits and _renamed(context, setting, meant).startswith("rename")
        return fixes.rename(context, key, path, meant, known) if free else ()
    life = lifetime("trainer", setting.name)
    if setting.name in context.release.server or life is None:
        return ()
    usual = release(life.last).trainer[setting.name].default
    return fixes.remove(context, key, path, "it is what it was without it") if setting.value == usual else ()


def _renamed(context: Context, setting: Setting, meant: str) -> str:
    """The fix for a misspelt key: one that no other finding forbids, and no key that its file sets already."""
    preset, role = context.preset, role_of(meant)
    server, block = preset.mode == "server", preset.block
    if server and role is Role.SERVER:
        there = isinstance(block, Branch) and block.find(meant) is not None
        return (
            f"remove it; {preset.server_path(meant)} is set"
            if there
            else f"move it to {preset.server_path(meant)}"
        )
    misplaced = {Role.REFUSED, Role.COLOCATE if server else Role.CONNECT}
    free = meant in ("use_vllm", "vllm_mode") or role not in misplaced
    if not free or (not server and meant in UNREAD_IN_COLOCATE):
        return "remove it"
    twin = preset.arguments.get(meant)
    is_set = twin is not None and twin.key.file == setting.key.file
    return f"remove it; {meant} is set" if is_set else f"rename it to {meant}"


def _span(life: Lifetime) -> str:
    return life.first if life.first == life.last else f"{life.first} to {life.last}"


def _unknown_in_block(context: Context) -> Iterator[Problem]:
    block = context.preset.block
    if block is None:
        return
    if not isinstance(block, Branch):
        yield Problem(
            block.place,
            f"{context.preset.server_path()} is not a mapping of server settings",
            fix="make it a mapping",
        )
        return
    for name, tree in block.children.items():
        if data(tree) is None or _is_taken(context, str(name)):
            continue
        hint, fix, edits = _hint_in_block(context, block, tree.key, str(name))
        yield Problem(
            tree.key,
            f"unknown key {context.preset.server_path(str(name))}{hint}",
            f"{context.swift}: `swift rollout`: {_REMAINING}, or it has no effect on a rollout",
            fix,
            edits=edits,
        )


def _is_taken(context: Context, name: str) -> bool:
    # not-a-server-field reports what belongs elsewhere.
    server = context.server
    if server is not None and not context.preset.apart and not server.forbids(name):
        return name not in server.model.fields or name in context.release.server
    row = None if is_misspelt(context, name) else ROLES.get(name)
    if row is None:
        return context.preset.apart and name in context.release.server
    acts = (*_ACTS, Role.BOTH, Role.LISTEN) if context.preset.apart else _ACTS
    return row.role not in acts or name in context.release.server


def is_misspelt(context: Context, name: str) -> bool:
    """Whether a name in the server's block is that of an engine setting without its `vllm_`.

    max_model_len is not: it is also an argument of the model.
    """
    return not context.preset.apart and f"vllm_{name}" in ROLES and name not in ROLES


def _hint_in_block(context: Context, block: Branch, key: Place, name: str) -> tuple[str, str, Edits]:
    if name in ROLES and not is_misspelt(context, name) and (life := lifetime("server", name)) is not None:
        return f"; only ms-swift {_span(life)} has it", "remove it", ()
    known = fields(Role.SERVER)
    meant = _meant(context, name, known)
    if not meant and name in context.release.trainer:
        return "; it is an argument of the learner", f"move it to {context.preset.learner_path}", ()
    if meant and block.find(meant):
        return f"; {meant} is set", "remove it", ()
    path, field = (*context.preset.server_steps, name), context.release.server.get(meant or "")
    fits = field is not None and argument.problem(field, block.value(name)) is None
    return _hint(meant), *_rename_or_remove(context, key, path, meant if fits else None, known)


def _hint(meant: str | None) -> str:
    return f"; did you mean {meant}?" if meant else ""


def _meant(context: Context, name: str, known: Collection[str]) -> str | None:
    if RENAMED.get(name) in known:
        return RENAMED[name]
    return context.near(name, known)


@rule("missing-key")
def missing_key(context: Context) -> Iterator[Problem]:
    """A required key is missing.

    The training repositories of this layout read those of `training` and the sections `template` and `custom`
    unconditionally; without rlhf_type ms-swift trains DPO (4.5.2, arguments/rlhf_args.py:232), and without a
    dataset it stops (arguments/sft_args.py:220); the split is checked against the server's TP, DP and length.
    """
    for path, place in context.preset.missing():
        yield Problem(place, f"{path} is missing", fix=f"add {path}")
    if context.server is not None and context.preset.mode == "server":
        for name, error in context.server.errors.items():
            if error["type"] == "missing":
                yield Problem(
                    context.at_server(name),
                    f"{context.preset.server_path(name)} is missing",
                    f"{context.swift}: `swift rollout` uses its own default",
                    f"add {name} (`migrate-config --write` does it)",
                )
