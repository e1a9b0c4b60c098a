"""Checks of what will run: the model, and the versions in the environment of `swift` or `torchrun`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from schema import catalogue
from schema.checkpoint import is_dense
from schema.findings import Severity
from schema.launch.machine.rollout import KEY_VARIABLE
from schema.launch.preflight.base import check
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.launch.preflight.base import Look

#: What both sides import.
NEEDED = ("ms-swift", "vllm")


@check("model-missing")
def model_missing(look: Look) -> Iterator[Problem]:
    """The model is a path, and nothing is there.

    ms-swift takes what is not on disk for a name on a hub, and fails to download it (4.5.2,
    utils/hub_utils.py safe_snapshot_download). What may be either, such as Qwen/Qwen3-4B or models/mine, is only
    warned of.
    """
    model = look.plan.facts["model"]
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
        "install ms-swift and vLLM, or name the environment that has them: swift=PATH or python=PATH",
    )


@check("software-unseen", severity=Severity.WARNING)
def software_unseen(look: Look) -> Iterator[Problem]:
    """Nothing tells which Python runs the program, so nothing is known of its ms-swift and vLLM."""
    if look.python is None and shutil.which(look.program) is not None:
        yield Problem(
            look.context.preset.start,
            f"{look.program} does not tell which Python runs it: its ms-swift and vLLM were not checked",
            "",
            "name it: python=PATH",
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
    """Several engines of a dense model, on a pair of ms-swift and vLLM that cannot start them.

    As the rule dense-data-parallel, for the pair that is installed: vLLM from 0.14.0 on with ms-swift before
    4.2.1 ("Offline data parallel mode is not supported/useful for dense models.", ms-swift #9221, #9295).
    """
    versions = look.software or {}
    swift, vllm = _order(versions.get("ms-swift")), _order(versions.get("vllm"))
    if look.context.server is None:
        return
    config = look.context.server.config
    fails = swift is not None and vllm is not None and swift < (4, 2, 1) and vllm >= (0, 14)
    several = config.vllm_data_parallel_size > 1 and not config.vllm_use_async_engine
    if fails and several and is_dense(look.plan.facts["model"]) is not False:
        yield Problem(
            look.context.at_server("vllm_data_parallel_size"),
            f"ms-swift {versions['ms-swift']} cannot start {config.vllm_data_parallel_size} engines of a dense"
            f" model on vLLM {versions['vllm']}",
            "ValueError: Offline data parallel mode is not supported/useful for dense models",
            "use ms-swift 4.2.1 or newer, or tensor parallelism",
        )


@check("key-unguarded", sides=("server",))
def key_unguarded(look: Look) -> Iterator[Problem]:
    """A key is given, and the ms-swift that will run guards nothing with it.

    `api_key` is a field of every release, for `swift deploy`; `swift rollout` asks for it from 4.6.0 on
    (pipelines/infer/rollout.py:737 _require_api_key).
    """
    version = _order((look.software or {}).get("ms-swift"))
    if look.keyed and version is not None and version < (4, 6):
        yield Problem(
            look.context.at_server("api_key"),
            f"a key is given, but ms-swift {(look.software or {})['ms-swift']} does not ask for it",
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


def _order(version: str | None) -> tuple[int, ...] | None:
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version or "")
    return tuple(int(part or 0) for part in found.groups()) if found else None
