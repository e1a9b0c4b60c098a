"""Checks of the model, and of the versions in the environment of `swift` or `torchrun`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from launch.machine.rollout import KEY_VARIABLE
from launch.preflight.base import check
from schema import catalogue
from schema.catalogue import order
from schema.findings import Severity
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules import RULES
from schema.rules.base import Problem
from schema.rules.base import applying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Snapshot

#: The packages that both sides import.
NEEDED = ("ms-swift", "vllm")
#: Rules that depend on the release of vLLM.
VLLM_RULES = (RULES["dense-data-parallel"], RULES["multimodal-cache"])


@check("model-missing")
def model_missing(snapshot: Snapshot) -> Iterator[Problem]:
    """The model is a path that does not exist.

    ms-swift takes a path that is not on disk for a name on a hub, and fails to download it (4.5.2,
    utils/hub_utils.py safe_snapshot_download). Qwen/Qwen3-4B or models/mine may be a path or such a name, so they
    cause a warning only.
    """
    model = str(snapshot.context.preset.served("model"))
    if Path(model).exists():
        return
    below = "" if Path(model).is_absolute() else f" below {Path.cwd()}"
    is_path = _is_path(model)
    yield Problem(
        snapshot.context.at("model"),
        f"the model {model} does not exist{below}",
        f"{snapshot.swift}: would look for it on a hub{', and fail' if is_path else ''}",
        "correct model.model, or start from the folder that it is relative to",
        severity=None if is_path else Severity.WARNING,
    )


def _is_path(model: str) -> bool:
    outside = model.startswith(("/", "./", "../", "~")) or model.endswith("/")
    return outside or model.count("/") > 1 or ("/" in model and Path(model).parent.is_dir())


@check("software-missing")
def software_missing(snapshot: Snapshot) -> Iterator[Problem]:
    """The Python environment that will run does not exist, or lacks ms-swift or vLLM.

    The learner needs vLLM, too, because its client of the server is built on it ("vLLM is not installed", ms-swift
    4.5.2, rlhf_trainers/vllm_client.py).
    """
    if shutil.which(snapshot.program) is None:
        message = f"{snapshot.program} is not on PATH"
    elif snapshot.python is None:
        return
    elif snapshot.software is None:
        message = f"{snapshot.python} does not run as a Python interpreter"
    elif missing := [name for name in NEEDED if name not in snapshot.software]:
        message = f"{snapshot.python} has no {' and no '.join(missing)}"
    else:
        return
    yield Problem(
        snapshot.context.preset.start,
        message,
        f"the {snapshot.side} cannot start",
        "install ms-swift and vLLM, or name an environment that has them: --swift PATH or --python PATH",
    )


@check("software-unseen", severity=Severity.WARNING)
def software_unseen(snapshot: Snapshot) -> Iterator[Problem]:
    """The launcher cannot find out which Python runs the program, and so cannot check its ms-swift and vLLM."""
    if snapshot.python is None and shutil.which(snapshot.program) is not None:
        yield Problem(
            snapshot.context.preset.start,
            f"{snapshot.program} does not name the Python that runs it, so its ms-swift and vLLM were not checked",
            "",
            "name the interpreter: --python PATH",
        )


@check("software-differs", severity=Severity.WARNING)
def software_differs(snapshot: Snapshot) -> Iterator[Problem]:
    """The ms-swift that will run is not the release that the preset was checked against."""
    found = (snapshot.software or {}).get("ms-swift")
    if found is not None and found != snapshot.context.release.version:
        newest = ", ".join(catalogue.versions()[-3:])
        yield Problem(
            snapshot.context.preset.start,
            f"{snapshot.python} has ms-swift {found}, but the preset was checked against"
            f" {snapshot.context.release.version}",
            "",
            f"the catalogue does not know {found}; the newest that it knows are {newest}",
        )


@check("software-pair", sides=("server",))
def software_pair(snapshot: Snapshot) -> Iterator[Problem]:
    """The rules dense-data-parallel and multimodal-cache, applied to the installed ms-swift and vLLM.

    Both rules depend on vLLM's release, and `validate-config` checks a preset against the release of vLLM that its
    ms-swift recommends.
    """
    versions = snapshot.software or {}
    if not {*NEEDED} <= versions.keys():
        return  # software-missing reports it
    release = snapshot.context.release._replace(version=versions["ms-swift"], vllm=versions["vllm"])
    for rule in applying(snapshot.context):
        if rule in VLLM_RULES and not rule.findings(snapshot.context):
            for found in rule.findings(replace(snapshot.context, release=release)):
                yield Problem(found.place, found.message, found.consequence, found.fix, found.severity)


@check("key-unguarded", sides=("server",))
def key_unguarded(snapshot: Snapshot) -> Iterator[Problem]:
    """The operator gives a key, and the ms-swift that will run guards nothing with it.

    Every release has the field `api_key`, for `swift deploy`; `swift rollout` asks for it from 4.6.0 on
    (pipelines/infer/rollout.py:737 _require_api_key).
    """
    installed = (snapshot.software or {}).get("ms-swift")
    if snapshot.has_key and installed is not None and order(installed) < order("4.6.0"):
        yield Problem(
            snapshot.context.at_server("api_key"),
            f"the server has a key, but ms-swift {installed} does not ask for it",
            "anyone who reaches the port could replace the weights",
            "install ms-swift 4.6.0 or newer, or remove the key",
        )


@check("key-exposed", severity=Severity.WARNING)
def key_exposed(snapshot: Snapshot) -> Iterator[Problem]:
    """The preset holds the server's key, and other users of this machine may read the file."""
    block = snapshot.context.preset.block
    key = block.find("api_key") if isinstance(block, Branch) else None
    if key is not None and data(key) and key.place.file.stat().st_mode & 0o044:
        yield Problem(
            key.place,
            "other users may read this file, and the key in it",
            "",
            f"chmod 600, or remove the key and set {KEY_VARIABLE}",
        )
