"""Checks of what will run: the model, and the versions in the environment of `swift` or `torchrun`."""

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launch.preflight.base import Look

#: What both sides import.
NEEDED = ("ms-swift", "vllm")
#: Rules that a release of vLLM decides.
VLLM_RULES = ("dense-data-parallel", "multimodal-cache")


@check("model-missing")
def model_missing(look: Look) -> Iterator[Problem]:
    """The model is a path, and nothing is there.

    ms-swift takes what is not on disk for a name on a hub, and fails to download it (4.5.2,
    utils/hub_utils.py safe_snapshot_download). What may be either, such as Qwen/Qwen3-4B or models/mine, is only
    warned of.
    """
    model = str(look.context.preset.served("model"))
    if Path(model).exists():
        return
    here = "" if Path(model).is_absolute() else f" below {Path.cwd()}"
    known = _is_path(model)
    yield Problem(
        look.context.at("model"),
        f"the model {model} does not exist{here}",
        f"{look.swift}: looks for it on a hub{', and fails' if known else ''}",
        "correct model.model, or start from the folder that it is relative to",
        severity=None if known else Severity.WARNING,
    )


def _is_path(model: str) -> bool:
    outside = model.startswith(("/", "./", "../", "~")) or model.endswith("/")
    return outside or model.count("/") > 1 or ("/" in model and Path(model).parent.is_dir())


@check("software-missing")
def software_missing(look: Look) -> Iterator[Problem]:
    """The environment that will run lacks ms-swift or vLLM, or is none.

    The learner needs vLLM, too: its client of the server is built on it ("vLLM is not installed", ms-swift
    4.5.2, rlhf_trainers/vllm_client.py).
    """
    if shutil.which(look.program) is None:
        said = f"{look.program} is not on PATH"
    elif look.python is None:
        return
    elif look.software is None:
        said = f"{look.python} does not answer as a Python interpreter"
    elif missing := [name for name in NEEDED if name not in look.software]:
        said = f"{look.python} has no {' and no '.join(missing)}"
    else:
        return
    yield Problem(
        look.context.preset.start,
        said,
        f"the {look.side} cannot start",
        "install ms-swift and vLLM, or name the environment that has them: --swift PATH or --python PATH",
    )


@check("software-unseen", severity=Severity.WARNING)
def software_unseen(look: Look) -> Iterator[Problem]:
    """Nothing tells which Python runs the program, so nothing is known of its ms-swift and vLLM."""
    if look.python is None and shutil.which(look.program) is not None:
        yield Problem(
            look.context.preset.start,
            f"{look.program} does not tell which Python runs it: its ms-swift and vLLM were not checked",
            "",
            "name it: --python PATH",
        )


@check("software-differs", severity=Severity.WARNING)
def software_differs(look: Look) -> Iterator[Problem]:
    """The ms-swift that will run is not the release that the preset was checked against."""
    found = (look.software or {}).get("ms-swift")
    if found is not None and found != look.context.release.version:
        known = ", ".join(catalogue.versions()[-3:])
        yield Problem(
            look.context.preset.start,
            f"{look.python} has ms-swift {found}, but the preset was checked against"
            f" {look.context.release.version}",
            "",
            f"the catalogue does not know {found}; the newest that it knows are {known}",
        )


@check("software-pair", sides=("server",))
def software_pair(look: Look) -> Iterator[Problem]:
    """What the rules dense-data-parallel and multimodal-cache say of the ms-swift and vLLM that are installed.

    They ask for vLLM's release, and a preset is checked against the one that its ms-swift recommends.
    """
    versions = look.software or {}
    if not {*NEEDED} <= versions.keys():
        return  # software-missing tells
    release = look.context.release._replace(version=versions["ms-swift"], vllm=versions["vllm"])
    for rule in (RULES[name] for name in VLLM_RULES):
        if not any(rule.findings(look.context)):
            for found in rule.findings(replace(look.context, release=release)):
                yield Problem(found.place, found.message, found.consequence, found.fix, found.severity)


@check("key-unguarded", sides=("server",))
def key_unguarded(look: Look) -> Iterator[Problem]:
    """A key is given, and the ms-swift that will run guards nothing with it.

    `api_key` is a field of every release, for `swift deploy`; `swift rollout` asks for it from 4.6.0 on
    (pipelines/infer/rollout.py:737 _require_api_key).
    """
    installed = (look.software or {}).get("ms-swift")
    if look.keyed and installed is not None and order(installed) < order("4.6.0"):
        yield Problem(
            look.context.at_server("api_key"),
            f"a key is given, but ms-swift {installed} does not ask for it",
            "whoever reaches the port could replace the weights",
            "use ms-swift 4.6.0 or newer, or give no key",
        )


@check("key-exposed", severity=Severity.WARNING)
def key_exposed(look: Look) -> Iterator[Problem]:
    """The preset holds the server's key, and other users of this machine may read the file."""
    block = look.context.preset.block
    said = block.find("api_key") if isinstance(block, Branch) else None
    if said is not None and data(said) and said.place.file.stat().st_mode & 0o044:
        yield Problem(
            said.place,
            "other users may read this file, and the key in it",
            "",
            f"chmod 600, or leave the key out and set {KEY_VARIABLE}",
        )
