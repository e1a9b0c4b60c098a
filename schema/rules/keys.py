"""Rules about keys: unknown ones, and missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.catalogue import lifetime
from schema.layouts.nested import DEEPSPEED_KEYS
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
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
    from schema.layouts.preset import Setting

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
    for name, tree in context.preset.tree.children.items():
        if sections and name not in sections and data(tree) is not None:
            hint = _hint(context, str(name), sections)
            yield Problem(tree.key, f"unknown section {name}{hint}", "nothing reads it", "remove or rename it")
    if sections:
        yield from _unknown_in_deepspeed(context)
    for setting in context.preset.settings():
        if setting.name not in context.release.trainer and not context.preset.owned(setting):
            yield _unknown(context, setting)
    yield from _unknown_in_block(context)


def _unknown_in_deepspeed(context: Context) -> Iterator[Problem]:
    section = context.preset.tree.find("deepspeed")
    for name, tree in section.children.items() if isinstance(section, Branch) else ():
        if name not in DEEPSPEED_KEYS and data(tree) is not None:
            hint = _hint(context, str(name), DEEPSPEED_KEYS)
            yield Problem(
                tree.key, f"unknown key deepspeed.{name}{hint}", "nothing reads it", "remove or rename it"
            )


def _unknown(context: Context, setting: Setting) -> Problem:
    meant = _meant(context, setting.name, context.release.trainer)
    row = ROLES.get(setting.name)
    own = "" if context.preset.apart else _OWNED
    if setting.name in context.release.server:
        hint = "; it is an argument of `swift rollout`, not of the learner"
        if row is not None and row.role in (Role.SERVER, Role.BOTH):
            own = f", or move it to {context.preset.server_path()}"
    elif (life := lifetime("trainer", setting.name)) is not None:
        hint = f"; only ms-swift {_span(life)} has it"
    else:
        hint = f"; did you mean {meant}?" if meant else ""
    if setting.path == "extends":
        hint, own = "; flat YAML cannot extend files", ", and copy the settings of the other file"
    return Problem(
        setting.key,
        f"unknown key {setting.path}{hint}",
        f"{context.swift}: {_REMAINING}",
        _renamed(context, meant) if meant else f"remove it{own}",
    )


def _renamed(context: Context, meant: str) -> str:
    """The fix for a misspelt key: one that no other finding forbids, and no key that is set already."""
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
    return f"remove it; {meant} is set" if meant in preset.arguments else f"rename it to {meant}"


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
        hint, fix = _hint_in_block(context, str(name))
        yield Problem(
            tree.key,
            f"unknown key {context.preset.server_path(str(name))}{hint}",
            f"{context.swift}: `swift rollout`: {_REMAINING}, or it has no effect on a rollout",
            fix,
        )


def _is_taken(context: Context, name: str) -> bool:
    # not-a-server-field reports what belongs elsewhere.
    server = context.server
    if server is not None and not context.preset.apart and not server.forbids(name):
        return name not in type(server.config).model_fields or name in context.release.server
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


def _hint_in_block(context: Context, name: str) -> tuple[str, str]:
    if name in ROLES and not is_misspelt(context, name) and (life := lifetime("server", name)) is not None:
        return f"; only ms-swift {_span(life)} has it", "remove it"
    meant = _meant(context, name, fields(Role.SERVER))
    if not meant and name in context.release.trainer:
        return "; it is an argument of the learner", f"move it to {context.preset.learner_path}"
    if meant and isinstance(context.preset.block, Branch) and context.preset.block.find(meant):
        return f"; {meant} is set", "remove it"
    return f"; did you mean {meant}?" if meant else "", "rename or remove it"


def _hint(context: Context, name: str, known: Collection[str]) -> str:
    meant = _meant(context, name, known)
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
