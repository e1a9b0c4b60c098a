"""Which ms-swift release a preset is checked against."""

from __future__ import annotations

from functools import cache

from schema import catalogue
from schema.errors import InputError


def target(named: str | None = None) -> catalogue.Release:
    """The release that is named, else the installed one, else the newest in the catalogue; the nearest to either.

    The installed ms-swift's version is read from its metadata; nothing of it is imported.

    Raises:
        InputError: a release is named that is no x.y.z within the catalogue.
    """
    version = installed() if named is None else named
    try:
        if version is None:
            return catalogue.release(catalogue.newest())
        return catalogue.release(catalogue.nearest(version) if named is None or _is_between(named) else named)
    except catalogue.UnknownReleaseError as error:
        raise InputError(str(error)) from error


def _is_between(version: str) -> bool:
    # Some releases were tagged and are on no index, such as 4.4.3: who built one from source names it.
    first, *_, last = catalogue.versions()
    wanted = catalogue.order(version)
    return len(wanted) > 2 and catalogue.order(first) < wanted < catalogue.order(last)


@cache
def installed() -> str | None:
    """The version of the ms-swift that is installed when it is first asked for, or None if there is none."""
    from importlib import metadata  # noqa: PLC0415 - half as long to import as click, and most presets name a release

    try:
        return metadata.version("ms-swift")
    except metadata.PackageNotFoundError:
        return None


def doubt(named: str | None) -> str | None:
    """What to tell where presets are checked against a release that the catalogue does not hold."""
    version = installed() if named is None else named
    if version is None or version in catalogue.versions():
        return None
    how, nearest = "installed" if named is None else "named", catalogue.nearest(version)
    return (
        f"ms-swift {version} is {how} and not catalogued: presets are checked for {nearest}, the nearest release;"
        " --swift-version, or swift-version in [tool.rollout-split], names another"
    )
