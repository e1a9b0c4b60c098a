"""Reads one preset: resolves it, builds the models, settles the split and the target release."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema import layouts
from schema.checkpoint import Configs
from schema.context import Context
from schema.errors import InputError
from schema.errors import NoPresetError
from schema.layouts.preset import Kind
from schema.models import parse
from schema.place import Place
from schema.split.gpus import DEFAULT_LEARNERS
from schema.split.gpus import Gpus
from schema.split.gpus import Split
from schema.split.gpus import project_split
from schema.swift.release import doubt
from schema.swift.release import target
from schema.swift.variables import NODES
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from schema.layouts.preset import Preset
    from schema.resolve import Workspace

#: Files that are not checked.
NO_PRESETS = (Kind.FOREIGN, Kind.OTHER)
#: Presets that are remembered, each with what was made of it: a migration asks for each of its own often.
REMEMBERED = 64


class Options(NamedTuple):
    """What the caller says of the machine and the target.

    Attributes:
        rollout: GPUs that roll out, or None to take the project's word.
        train: GPUs that learn, or None to take the project's word.
        swift_version: the target release, or None to find it out.
    """

    rollout: Gpus | None = None
    train: Gpus | None = None
    swift_version: str | None = None


@lru_cache(maxsize=REMEMBERED)
def load(workspace: Workspace, path: Path) -> Preset:
    """Resolves a preset and finds the project it belongs to, as the files are when it is first asked for.

    Raises:
        InputError: the file or one of its bases cannot be read or resolved.
    """
    try:
        return layouts.read(workspace, path, workspace.project(path))
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", Place(path)) from error


def no_grpo(preset: Preset) -> NoPresetError:
    """The error that a file is no GRPO preset, at the value that says so."""
    setting = preset.arguments.get("rlhf_type")
    place = setting.place if setting else preset.start
    return NoPresetError(f"is no GRPO preset, but {preset.called}", place)


def context(workspace: Workspace, preset: Preset, options: Options, configs: Configs | None = None) -> Context:
    """All that the rules look at; `configs` keeps the config.json files that were read before.

    Raises:
        InputError: the target release is not in the catalogue.
    """
    release = target(named_release(preset, options))
    return Context(
        preset=preset,
        split=split(preset, options),
        release=release,
        trainer=parse.trainer(preset, release),
        server=parse.server(preset, release),
        workspace=workspace,
        configs=configs or Configs(),
    )


def named_release(preset: Preset, options: Options) -> str | None:
    """The target release that the caller names, else the project; None where neither does."""
    named = options.swift_version
    return preset.project.settings.swift_version if named is None else named


def doubts(presets: Iterable[Preset], options: Options) -> list[str]:
    """What to tell, once, of the release that presets were checked for; files that are no presets do not count."""
    found = (doubt(named_release(preset, options)) for preset in presets if preset.kind not in NO_PRESETS)
    return list(dict.fromkeys(filter(None, found)))


def split(preset: Preset, options: Options) -> Split:
    """The split to check against: what the caller says, else the preset, else the project, else the default.

    The default is 2 learners in server mode; none where the server takes all GPUs of the project's node.
    """
    settings = preset.project.settings
    shares = project_split(preset.project, preset)
    rollout = options.rollout or preset.rollout_gpus or (Gpus(shares.rollout) if shares.rollout else None)
    if options.train is not None:
        return Split(rollout, options.train, "--train-gpus")
    if preset.learners is not None:
        return Split(rollout, preset.learners, preset.learners_source)
    if preset.mode != "server" or not {PROCESSES, NODES}.isdisjoint(preset.unknown):
        return Split(rollout)
    if shares.train is not None:
        source = "train-gpus" if settings.train_gpus else "what the server leaves of gpus"
        return Split(rollout, Gpus(shares.train), f"{source} in pyproject.toml")
    if settings.gpus is not None:
        return Split(rollout)
    return Split(rollout, Gpus(DEFAULT_LEARNERS), "the default; --train-gpus sets it")
