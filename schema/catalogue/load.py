"""Reads the catalogue's data files, each when it is first needed.

``releases.json`` lists what is catalogued: each ms-swift release with its transformers, its vLLM and its
reward functions, and each vLLM release. The other files are histories: a line for each definition of an
option, led by the release since which it holds; a line without a definition removes the option. Beside them,
``descriptions.json`` is written by people.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from schema.catalogue.model import CatalogueError
from schema.catalogue.model import Field
from schema.catalogue.model import Release
from schema.catalogue.model import UnknownReleaseError
from schema.catalogue.model import order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

DATA = Path(__file__).parent / "data"

_RELEASES = "releases.json"


def versions() -> tuple[str, ...]:
    """The catalogued ms-swift releases, ascending."""
    return tuple(_known(DATA, "ms-swift"))


def newest() -> str:
    """The newest catalogued ms-swift release."""
    return versions()[-1]


def release(version: str) -> Release:
    """The options of an ms-swift release.

    Raises:
        UnknownReleaseError: The release is not catalogued.
        CatalogueError: A data file is missing or broken.
    """
    return _release(DATA, version)


def vllm_versions() -> tuple[str, ...]:
    """The catalogued vLLM releases, ascending."""
    return tuple(_known(DATA, "vllm"))


def vllm_engine_args(version: str) -> Mapping[str, Field]:
    """The options of a vLLM release's engine: AsyncEngineArgs, which include those of EngineArgs.

    Raises:
        UnknownReleaseError: The release is not catalogued.
        CatalogueError: A data file is missing or broken.
    """
    return _engine_args(DATA, version)


def history(side: str, name: str) -> list[tuple[str, bool]]:
    """The releases at which an argument of a side ("trainer" or "server") came, changed or went.

    Raises:
        CatalogueError: A data file is missing or broken.
    """
    return _histories(DATA, side).get(name, [])


def names() -> set[str]:
    """All arguments that a side had in some catalogued release.

    Raises:
        CatalogueError: A data file is missing or broken.
    """
    return {name for side in ("trainer", "server") for name in _histories(DATA, side)}


def descriptions() -> Mapping[str, str]:
    """What each argument is, in a sentence; for arguments of all releases that no model of `schema.models` has.

    Raises:
        CatalogueError: A data file is missing or broken.
    """
    return _descriptions()


def nearest(version: str) -> str:
    """The catalogued ms-swift release closest to one: the last up to it (4.0: the last 4.0.x), else the first."""
    return _nearest_of(DATA, version)


@cache
def _nearest_of(data: Path, version: str) -> str:
    return _nearest(version, _known(data, "ms-swift"))


@cache
def _release(data: Path, version: str) -> Release:
    known = _known(data, "ms-swift")
    _require("ms-swift", version, known)
    trainer, server = (_fields(data / f"{part}.json", version, known) for part in ("trainer", "server"))
    try:
        transformers, vllm, reward_funcs = known[version]
        return Release(version, transformers, trainer, server, tuple(reward_funcs), vllm)
    except (TypeError, ValueError) as error:
        raise _broken(data / _RELEASES, error) from error


@cache
def _engine_args(data: Path, version: str) -> Mapping[str, Field]:
    known = _known(data, "vllm")
    _require("vllm", version, known)
    return _fields(data / "vllm.json", version, known)


def _require(package: str, version: str, known: Iterable[str]) -> None:
    """Raises an error that names the nearest release."""
    if version not in known:
        raise UnknownReleaseError(package, version, _nearest(version, known))


def _nearest(version: str, known: Iterable[str]) -> str:
    wanted = order(version)
    earlier = [other for other in known if order(other)[: len(wanted)] <= wanted]
    return earlier[-1] if earlier else next(iter(known))


@cache
def _known(data: Path, package: str) -> dict[str, list[Any]]:
    """What ``releases.json`` says of each release of a package, ascending."""
    path = data / _RELEASES
    try:
        rows = {version: rest for name, version, *rest in _rows(path) if name == package}
        known = {version: rows[version] for version in sorted(rows, key=order)}
    except (TypeError, ValueError) as error:
        raise _broken(path, error) from error
    if not known:
        raise _broken(path, f"it lists no release of {package}")
    return known


def _fields(path: Path, version: str, known: Iterable[str]) -> dict[str, Field]:
    """Replays the history of an argument class up to `version`."""
    past = {other for other in known if order(other) <= order(version)}
    found: dict[str, Field] = {}
    try:
        for since, name, *definition in _rows(path):
            if since in past:
                _apply(found, name, definition)
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, error) from error
    if not found:
        raise _broken(path, f"it lists no option of release {version}")
    return found


@cache
def _descriptions() -> Mapping[str, str]:
    return dict(_rows(Path(__file__).with_name("descriptions.json")))


@cache
def _histories(data: Path, side: str) -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for since, name, *definition in _rows(data / f"{side}.json"):
        found.setdefault(name, []).append((since, bool(definition)))
    return found


def _apply(found: dict[str, Field], name: str, definition: list[Any]) -> None:
    """Gives an option its definition; an empty one removes the option."""
    if not definition:
        del found[name]
        return
    kind, many, nullable, choices, default, annotation, declared_by = definition
    found[name] = Field(name, kind, many, nullable, tuple(choices), default, annotation, declared_by)


@cache
def _rows(path: Path) -> list[list[Any]]:
    try:
        rows: list[list[Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, error) from error
    return rows


def _broken(path: Path, reason: object) -> CatalogueError:
    return CatalogueError(f"the catalogue's data file {path} cannot be used: {reason}")
