"""Writes or checks the catalogue's data files: ``python -m tools.extract --help``."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from schema.catalogue import load
from schema.catalogue import order
from schema.catalogue.model import CatalogueError
from tools.extract import drift
from tools.extract import store
from tools.extract import swift
from tools.extract import vllm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.catalogue.model import Field
    from schema.catalogue.model import Release

    Engines = Mapping[str, Mapping[str, Field]]

_OLDEST = (3, 10, 0)
_CACHE = Path.home() / ".cache" / "rollout-split"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, 1 for drifts that ``--check`` found, or 2 for what cannot be done."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return _run(arguments.versions or load.versions(), arguments.cache, check=arguments.check)
    except (CatalogueError, LookupError, OSError, ValueError, subprocess.CalledProcessError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tools.extract", description="Writes the catalogue's data.")
    parser.add_argument("versions", nargs="*", type=_version, metavar="VERSION", help="default: all catalogued")
    parser.add_argument("--check", action="store_true", help="write nothing; list what has drifted, and exit 1")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="the folder that keeps downloaded wheels")
    return parser


def _version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+(\.post\d+)?", text) or order(text) < _OLDEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ms-swift release from 3.10.0 on")
    return text


def _run(versions: Sequence[str], cache: Path, *, check: bool) -> int:
    releases = {version: swift.extract(version, cache) for version in versions}
    engines = {version: vllm.extract(version) for version in _needed(releases)}
    if not check:
        _write(releases, engines)
        return 0
    drifts = list(_drifts(releases, engines))
    sys.stdout.writelines(f"{line}\n" for line in drifts)
    return 1 if drifts else 0


def _drifts(releases: Mapping[str, Release], engines: Engines) -> Iterator[str]:
    for version, release in releases.items():
        yield from drift.release_drifts(load.release(version), release)
    for version, fields in engines.items():
        yield from drift.fields_drifts(f"vllm {version}", load.vllm_engine_args(version), fields)


def _write(releases: Mapping[str, Release], engines: Engines) -> None:
    """Writes the extracted releases along with the catalogued ones; a vLLM that none needs goes."""
    stored = {version: load.release(version) for version in load.versions()}
    merged = dict(sorted({**stored, **releases}.items(), key=lambda item: order(item[0])))
    needed = {version: engines.get(version) or load.vllm_engine_args(version) for version in _needed(merged)}
    store.write(load.DATA, merged, needed)


def _needed(releases: Mapping[str, Release]) -> list[str]:
    """The vLLM releases that the ms-swift releases recommend, ascending."""
    return sorted({release.vllm for release in releases.values()}, key=order)


if __name__ == "__main__":
    sys.exit(main())
