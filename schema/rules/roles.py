"""Rules about fields that are on the wrong side of the split, or in the wrong mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import fixes
from schema.findings import Severity
from schema.layouts.preset import ADDRESSES
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.keys import is_misspelt
from schema.swift.roles import ROLES
from schema.swift.roles import UNREAD_IN_COLOCATE
from schema.swift.roles import Misplaced
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.layouts.preset import Setting
    from schema.place import Place


_NO_EFFECT = "it has no effect"


def _settings(context: Context, role: Role) -> Iterator[Setting]:
    names = fields(role)
    return (setting for name, setting in context.preset.arguments.items() if name in names)


def _forbidden(context: Context, role: Role) -> Iterator[Setting]:
    """The settings of a role that the learner's model does not have in this mode."""
    names = [name for name in context.trainer.errors if context.trainer.forbids(name) and role_of(name) is role]
    return (context.preset.arguments[name] for name in names)


@rule("server-field-in-rlhf", mode="server")
def server_field_in_rlhf(context: Context) -> Iterator[Problem]:
    """An engine setting is among the learner's arguments in server mode.

    The learner accepts it and never reads it; only vllm_max_model_len causes a warning (ms-swift 4.5.2,
    arguments/rlhf_args.py:699 _external_vllm_warning). In server mode `swift rollout` builds the engine from
    its own arguments (pipelines/infer/rollout.py get_infer_engine).
    """
    for setting in _forbidden(context, Role.SERVER):
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, but in server mode only the rollout server acts on it",
            f"{context.swift}: {ROLES[setting.name].misplaced.value} by the learner, and the server never sees it",
            fix := _moved(context, setting),
            edits=fixes.remove(context, setting.key, setting.steps, _NO_EFFECT) if fix.endswith(" is set") else (),
        )


def _moved(context: Context, setting: Setting) -> str:
    """The fix: move it to the server, unless it is set there already, or is not allowed there either."""
    preset, block = context.preset, context.preset.block
    path = preset.server_path(setting.name)
    if isinstance(block, Branch) and block.find(setting.name) is not None:
        return f"remove it; {path} is set"
    merged = not preset.apart and (setting.name, setting.value) == ("vllm_enable_lora", True)
    if merged or (not preset.apart and setting.name == "vllm_max_lora_rank"):
        return "remove it; the server of this layout gets merged weights"
    if setting.name == "vllm_pipeline_parallel_size" and setting.value != 1:
        return "remove it; a rollout server has no pipeline stages"
    return f"move it to {preset.server_path()} (`migrate-config --write` does it)"


@rule("colocate-field-in-server-mode", mode="server")
def colocate_field_in_server_mode(context: Context) -> Iterator[Problem]:
    """A field that moves memory between learner and engine is set, but in server mode they share no GPU.

    sleep_level is reset (ms-swift 4.5.2, arguments/rlhf_args.py:346), offloading is read only where the
    colocate engine is made (rlhf_trainers/rollout_mixin.py:442).
    """
    for setting in _forbidden(context, Role.COLOCATE):
        misplaced = ROLES[setting.name].misplaced
        if misplaced is Misplaced.RESET and context.older("3.11.1"):
            misplaced = Misplaced.IGNORED
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, but it acts in colocate mode only",
            f"{context.swift}: {misplaced.value}",
            "remove it",
            edits=fixes.remove(context, setting.key, setting.steps, _NO_EFFECT),
        )


@rule("connect-field-in-colocate-mode", needs=("vllm_mode",))
def connect_field_in_colocate_mode(context: Context) -> Iterator[Problem]:
    """A preset has a server's address, but its mode is not server.

    The learner connects as soon as a host or a URL is set, whatever vllm_mode says, and opens the
    weight-sync group with whatever answers (ms-swift 4.5.2, arguments/rlhf_args.py:497 _init_external_vllm).
    """
    if context.preset.mode == "server":
        return
    for setting in _settings(context, Role.CONNECT):
        if not setting.name.startswith("vllm_server_"):
            continue
        connects = ROLES[setting.name].misplaced is Misplaced.CONNECTS
        yield Problem(
            setting.place,
            f"{setting.path} is {setting.value!r}, but vllm_mode is {context.preset.mode!r}",
            f"{context.swift}: {ROLES[setting.name].misplaced.value}",
            "remove it (`migrate-config --to colocate --write` does it), or set vllm_mode to server",
            Severity.ERROR if connects else Severity.WARNING,
        )


@rule("refused-field")
def refused_field(context: Context) -> Iterator[Problem]:
    """A field that raises as soon as it is set.

    vllm_reasoning_parser: ms-swift 4.5.2, rlhf_trainers/arguments.py:108 on the learner,
    arguments/deploy_args.py:136 on the server; context_manager: arguments/deploy_args.py:170, from 4.3.0 on.
    """
    for setting in _settings(context, Role.REFUSED):
        yield _refused(context, setting.place, setting.path)
    if isinstance(context.preset.block, Branch):
        for name, tree in context.preset.block.children.items():
            if name == "context_manager" and context.older("4.3.0"):
                continue
            if (row := ROLES.get(str(name))) and row.role is Role.REFUSED and data(tree) is not None:
                yield _refused(context, tree.place, context.preset.server_path(str(name)))


def _refused(context: Context, place: Place, path: str) -> Problem:
    return Problem(
        place,
        f"{path} cannot be used with GRPO rollouts",
        f"{context.swift}: raises ValueError",
        "remove it",
    )


_ELSEWHERE = {
    Role.CONNECT: ("it tells the learner where the server is", "move it to {learner}"),
    Role.TRAINER: ("only the learner acts on it", "move it to {learner}"),
    Role.COLOCATE: ("it acts in colocate mode only", "remove it"),
    Role.DEAD: ("GRPO never reads it", "remove it"),
    Role.BOTH: (
        "both sides must get the same value, so the launcher takes it from the preset's own sections",
        "set it in its own section (model, template, rlhf)",
    ),
    Role.LISTEN: (
        "the server listens where the learner connects",
        "set rlhf.vllm_server_host and rlhf.vllm_server_port",
    ),
}


@rule("not-a-server-field", components=True)
def not_a_server_field(context: Context) -> Iterator[Problem]:
    """A field in the rollout server's block does not belong to the server.

    `swift rollout` would refuse it (`remaining_argv`, ms-swift 4.5.2, pipelines/base.py:46), ignore it, or
    take a value that differs from the learner's.
    """
    if not isinstance(context.preset.block, Branch) or context.server is None:
        return
    for name, tree in context.preset.block.children.items():
        if not (context.preset.apart or context.server.forbids(str(name))):
            continue
        row = ROLES.get(str(name))
        if row is None or row.role not in _ELSEWHERE or data(tree) is None or is_misspelt(context, str(name)):
            continue
        if context.preset.apart and row.role in (Role.BOTH, Role.LISTEN):
            continue  # the server's own file says where it listens, and repeats what both sides act on
        if row.role is Role.BOTH and name not in context.release.trainer:
            continue  # a release in which the learner does not have it yet
        why, fix = _ELSEWHERE[row.role]
        fix = _elsewhere(context, str(name), fix) + _engines_own(context, str(name))
        path, refused = (*context.preset.server_steps, str(name)), name not in context.release.server
        yield Problem(
            tree.key,
            f"{context.preset.server_path(str(name))} does not belong there: {why}",
            f"{context.swift}: `swift rollout` would {'refuse' if refused else 'take'} it",
            fix,
            Severity.WARNING if context.preset.apart and not refused else None,
            fixes.remove(context, tree.key, path, why) if fix == "remove it" else (),
        )


def _elsewhere(context: Context, name: str, fix: str) -> str:
    # The learner's own value stays, and this project reads its address from host and port.
    if name in context.preset.arguments or name == "vllm_server_base_url":
        return "remove it"
    return fix.format(learner=context.preset.learner_path)


def _engines_own(context: Context, name: str) -> str:
    # max_model_len is the model's; without vllm_max_model_len beside it, the engine's may be meant.
    own, block = f"vllm_{name}", context.preset.block
    meant = own in ROLES and isinstance(block, Branch) and block.find(own) is None
    return f", or rename it to {own} if you mean the engine's" if meant else ""


@rule("server-block-missing", mode="server")
def server_block_missing(context: Context) -> Iterator[Problem]:
    """The mode is server, but the settings that start the server are missing.

    `swift rollout` would start with one GPU, the model's full length and utilization 0.9 (ms-swift 4.5.2,
    rlhf_trainers/args_mixin.py VllmArguments).
    """
    # A script need not start the server that its learner asks.
    if context.preset.block is None and context.preset.layout != "script":
        yield Problem(
            context.at("vllm_mode"),
            f"vllm_mode is server, but there is no {context.preset.server_path()}",
            f"{context.swift}: a server started without it uses one GPU and vLLM's defaults",
            f"add {context.preset.server_path()} (`migrate-config --write` does it)",
        )


@rule("server-block-unused", severity=Severity.WARNING, needs=("vllm_mode",))
def server_block_unused(context: Context) -> Iterator[Problem]:
    """Nothing reads the rollout server's block, because the preset's mode is not server."""
    block = context.preset.block
    if block is not None and context.preset.mode != "server":
        # With an address, too, the preset contradicts itself, and a migration asks which of the two is meant.
        asks = any(context.preset.value(name) is not None for name in ADDRESSES)
        yield Problem(
            block.key,
            f"{context.preset.server_path()} is set, but vllm_mode is {context.preset.mode!r}",
            "no server is started; the engine runs inside the learner",
            f"set {context.preset.path('vllm_mode')} to server"
            + ("" if asks else " (`migrate-config --write` does it)")
            + ", or remove it",
        )


@rule("unread-in-colocate", severity=Severity.WARNING, mode="colocate")
def unread_in_colocate(context: Context) -> Iterator[Problem]:
    """An engine setting that the learner's own engine does not get.

    ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:505-531 lists what colocate mode passes on; everything else is a
    field of RLHFArguments that no trainer reads.
    """
    for setting in context.preset.arguments.values():
        if setting.name in UNREAD_IN_COLOCATE:
            yield Problem(
                setting.place,
                f"{setting.path} is {setting.value!r}, but no learner reads it",
                f"{context.swift}: {Misplaced.IGNORED.value}",
                "remove it",
                edits=fixes.remove(context, setting.key, setting.steps, _NO_EFFECT),
            )
