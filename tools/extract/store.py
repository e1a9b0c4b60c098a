"""Writes the data files: histories, in which an option takes a new line only where it changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path

    from schema.catalogue.model import Field
    from schema.catalogue.model import Release

    Releases = Mapping[str, Release]
    Engines = Mapping[str, Mapping[str, Field]]


def write(data: Path, releases: Releases, engines: Engines) -> None:
    """Writes every data file of the catalogue, of releases in ascending order."""
    files = {
        "releases.json": _catalogued(releases, engines),
        "trainer.json": _history({version: release.trainer for version, release in releases.items()}),
        "server.json": _history({version: release.server for version, release in releases.items()}),
        "vllm.json": _history(engines),
    }
    data.mkdir(exist_ok=True)
    for name, lines in files.items():
        (data / name).write_text(_text(lines), encoding="utf-8")


def _catalogued(releases: Releases, engines: Engines) -> Iterator[list[object]]:
    """Yields what is catalogued, one release a line."""
    for version, release in releases.items():
        yield ["ms-swift", version, release.transformers, release.vllm, release.reward_funcs]
    for version in engines:
        yield ["vllm", version]


def _history(releases: Engines) -> Iterator[list[object]]:
    """Yields a line for each definition; those of an option together, in the order of the releases."""
    for name in sorted({name for fields in releases.values() for name in fields}):
        yield from _changes(name, releases)


def _changes(name: str, releases: Engines) -> Iterator[list[object]]:
    """Yields a line for each release in which an option is new, changed or removed."""
    current: list[object] = []
    for version, fields in releases.items():
        definition = list(fields[name][1:]) if name in fields else []
        if json.dumps(definition) != json.dumps(current):
            yield [version, name, *definition]
        current = definition


def _text(lines: Iterable[list[object]]) -> str:
    return "[\n" + ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n]\n"
