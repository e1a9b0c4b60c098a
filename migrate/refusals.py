"""What a migration will not do behind anybody's back, each with its reason and the choices."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.names import DROPPED
from migrate.names import FITTED
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import TENSOR
from migrate.yamledit.scalars import shown as value_text
from schema.check import Options
from schema.check import load
from schema.errors import InputError
from schema.layouts.preset import ADDRESSES
from schema.layouts.preset import Kind
from schema.layouts.preset import Preset
from schema.place import Place
from schema.place import shown
from schema.resolve import find_project
from schema.resolve.graph import graph
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split.gpus import Gpus
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.target import Target
    from schema.layouts.preset import Setting
    from schema.resolve import Tree
    from schema.resolve import Workspace

#: Characters of a file that is migrated; presets have some thousand.
MAX_SIZE = 1 << 16


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Gives refusals that name no place the file that they are about."""
    try:
        yield
    except InputError as error:
        if error.place is None:
            raise InputError(error.message, Place(path)) from error
        raise


def rolls_out(preset: Preset) -> bool:
    """Whether a file is by itself a GRPO preset that generates with vLLM; a base need not be."""
    return preset.kind is Kind.GRPO and preset.value("use_vllm") is True


def refuse_large(workspace: Workspace, preset: Preset) -> None:
    """Refuses a preset with a file that would keep a migration at work for a minute.

    Each edit is proven by itself, and a proof reads the whole file.

    Raises:
        InputError: naming the file.
    """
    for file in preset.resolved.files:
        if len(workspace.document(file).text) > MAX_SIZE:
            raise InputError(
                f"has more than {MAX_SIZE} characters, which is too large to be migrated", Place(file)
            )


def refuse_json(preset: Preset) -> None:
    """Refuses JSON, which ms-swift reads by its name: what is added would be YAML.

    ms-swift 4.5.2, cli/main.py parse_yaml_args.

    Raises:
        InputError: naming the file.
    """
    path = preset.resolved.path
    if path.suffix.lower() == ".json":
        raise InputError(
            f"is JSON, and this command writes YAML; name it {path.stem}.yaml first: YAML readers read JSON, too",
            Place(path),
        )


def refuse_unfit(preset: Preset, target: Target, *, is_base: bool) -> None:
    """Refuses what is no GRPO preset that generates with vLLM, or contradicts itself.

    Raises:
        InputError: with the reason.
    """
    place = Place(preset.resolved.path)
    if not is_base and preset.kind is not Kind.GRPO:
        raise InputError(f"is no GRPO preset, but {preset.kind.value}; there is nothing to migrate", place)
    if not is_base and not rolls_out(preset):
        raise InputError(
            "use_vllm is not true: the preset does not generate with vLLM, so it cannot be split", place
        )
    if target.resplits or "server" in (target.to, preset.implied_mode):
        _refuse_nodes(preset)
    mode = preset.arguments.get("vllm_mode")
    if mode is not None:
        _refuse_mode(preset, mode)
        if target.to == "server" and mode.value == "colocate":
            _refuse_address(preset, mode)


def _refuse_nodes(preset: Preset) -> None:
    if (nodes := preset.nodes_wanted) != "1":
        raise InputError(
            f"NNODES is {nodes}: learners on several nodes; this tool splits the GPUs of one node, so"
            " remove NNODES first, or leave the preset as it is",
            preset.start,
        )


def _refuse_mode(preset: Preset, mode: Setting) -> None:
    if mode.path != preset.path("vllm_mode"):
        raise InputError(f"{mode.path} is out of place; move it to {preset.learner_path} first", mode.key)
    if mode.value not in ("server", "colocate"):
        raise InputError(f"vllm_mode is {mode.value!r}; set it to colocate or server first", mode.place)


def _refuse_address(preset: Preset, mode: Setting) -> None:
    setting = next((preset.arguments[name] for name in ADDRESSES if name in preset.arguments), None)
    if setting is not None:
        raise InputError(
            f"vllm_mode is {mode.value!r}, but {setting.path} is {setting.value!r}, and ms-swift would connect"
            " to that server in any mode. Set vllm_mode to server if you mean that, or remove the"
            " address; then migrate",
            setting.place,
        )


def refuse_inherited(
    after: Workspace, preset: Preset, named: Sequence[Path], left: Sequence[Setting], *, alone: bool
) -> None:
    """Refuses to leave knobs in a base that is not named: a merge cannot delete them.

    Others that extend it would follow, unless the files stand alone.

    Raises:
        InputError: naming the base, the keys, and the other presets that extend it.
    """
    if not left:
        return
    leaf, bases = shown(preset.resolved.path), list(dict.fromkeys(setting.key.file for setting in left))
    heirs = [file for base in bases for file in _heirs(after, named, base)] if not alone else []
    others = [file for file in heirs if file not in preset.resolved.files]
    block = preset.block if left[0].name == "vllm_mode" else None
    own = " has a server's block, but" if block and block.key.file == preset.resolved.path else ""
    also = f"; {_listed(others)} would change, too, and must be named" if others else ""
    several = ("were", "them", "bases stay as they are")
    were, them, stay = several if bases[1:] else ("was", "it", "base stays as it is")
    raise InputError(
        f"{leaf}{own} inherits {_keys(left, bases)}, which {were} not named. Either name {them} in the same call,"
        f" or pass --include-bases{also}. Or pass --mask-bases: the {stay}, and {leaf} hides these keys with null",
        left[0].key,
    )


def _keys(left: Sequence[Setting], bases: Sequence[Path]) -> str:
    # By base; the first one is the place of the error.
    lists = [
        ", ".join(f"{setting.path} (line {setting.key.line})" for setting in left if setting.key.file == base)
        for base in bases
    ]
    names = ["this base", *map(shown, bases[1:])]
    return ", and ".join(f"{keys} from {name}" for keys, name in zip(lists, names, strict=True))


def _listed(files: Iterable[Path]) -> str:
    return ", ".join(map(shown, dict.fromkeys(files)))


def _heirs(workspace: Workspace, named: Sequence[Path], base: Path) -> list[Path]:
    """The files that are not named, but extend a base, in the project of the base or of a named file."""
    files = [*named, base]
    marked = [root for root in dict.fromkeys(find_project(file).root for file in files) if root]
    folders = marked or [Path(os.path.commonpath([file.parent for file in files]))]
    found = dict.fromkeys(file for folder in folders for file in graph(workspace, folder).dependents(base))
    known = set(map(os.path.realpath, files))
    return [file for file in found if os.path.realpath(file) not in known]


def options(target: Target) -> Options:
    """What a result is checked against; what the caller does not say, the project does, or the default."""
    rollout, train = (Gpus(gpus) if gpus else None for gpus in (target.rollout_gpus, target.train_gpus))
    return Options(rollout, train, target.swift_version)


def refuse_unplanned(before: Preset, after: Preset, planned: Sequence[tuple[str, ...]]) -> None:
    """Refuses to change anything in the resolved preset but what was planned.

    A null on the way to a new key hides what a base says there; as a mapping it would hide it no longer.

    Raises:
        InputError: naming the keys.
    """
    old, new = dict(_values(before.tree)), dict(_values(after.tree))
    changed = [path for path in {**old, **new} if repr(old.get(path)) != repr(new.get(path))]
    wrong = [path for path in changed if not any(path[: len(edited)] == edited for edited in planned)]
    if wrong:
        keys = ", ".join(".".join(map(str, path)) for path in wrong)
        raise InputError(
            f"{keys} would count again: a null hides the base's value; remove the null first",
            Place(before.resolved.path),
        )


def refuse_merged(before: Preset, after: Preset) -> None:
    """Refuses engine settings that would merge to something else on the other side.

    Mappings merge deeply, but only within one section: `rlhf.vllm_engine_kwargs` takes the place of a base's
    `training.vllm_engine_kwargs`, and in the server's block the two would be one. What the split decides on, and
    what the other side has said before, may change: that is in the report.

    Raises:
        InputError: naming the setting, and what would become of it.
    """
    for name in fields(Role.SERVER):
        old, new = _engine(before, name), _engine(after, name)
        mappings = isinstance(old, dict) and isinstance(new, dict)
        if not same(old, new) and (mappings or not _is_decided(before, name)):
            raise InputError(
                f"{name} would become {value_text(new)} instead of {value_text(old)}: it would merge with the"
                " value of another base or section; set it in the same section everywhere first",
                Place(before.resolved.path),
            )


def _is_decided(preset: Preset, name: str) -> bool:
    other_side = preset.server_value(name) if preset.implied_mode != "server" else preset.value(name)
    return other_side is not None or name in (*FITTED, TENSOR, LENGTH, LORA, *DROPPED)


def _engine(preset: Preset, name: str) -> object:
    return preset.value(name) if preset.implied_mode != "server" else preset.server_value(name)


def _values(tree: Tree, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], object]]:
    if not isinstance(tree, Branch):
        yield path, tree.value
        return
    for name, child in tree.children.items():
        yield from _values(child, (*path, name))


def refuse_left_behind(
    before: Workspace, after: Workspace, named: Sequence[Path], changed: Sequence[Path], advice: str
) -> None:
    """Refuses to change what a preset means that was not named, because it extends one that was.

    Raises:
        InputError: naming the file that changes, and the presets.
    """
    for path in changed:
        moved = [file for file in _heirs(before, named, path) if not _means_the_same(before, after, file)]
        if moved:
            raise InputError(f"{_listed(moved)} would change, too; {advice}", Place(path))


def _means_the_same(before: Workspace, after: Workspace, file: Path) -> bool:
    try:
        old = data(load(before, file).tree)
    except InputError:  # it means nothing now, so nothing can change
        return True
    return same(old, data(load(after, file).tree))
