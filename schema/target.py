"""Which ms-swift release a preset is checked against."""

from __future__ import annotations

from importlib import metadata

from schema import catalogue
from schema.errors import InputError


def target(said: str | None = None) -> catalogue.Release:
    """The release that is named, else the one nearest to the installed one, else the newest in the catalogue.

    The installed ms-swift's version is read from its metadata; nothing of it is imported.

    Raises:
        InputError: a release is named that the catalogue does not hold.
    """
    try:
        return catalogue.release(_assumed(installed()) if said is None else said)
    except catalogue.UnknownReleaseError as error:
        raise InputError(str(error)) from error


def _assumed(version: str | None) -> str:
    return catalogue.newest() if version is None else catalogue.nearest(version)


def installed() -> str | None:
    """The version of the installed ms-swift, or None if there is none."""
    try:
        return metadata.version("ms-swift")
    except metadata.PackageNotFoundError:
        return None


def doubt(said: str | None) -> str | None:
    """What to tell where presets are checked against an installed release that the catalogue does not hold."""
    version = installed()
    if said is not None or version is None or version in catalogue.versions():
        return None
    nearest = catalogue.nearest(version)
    return (
        f"ms-swift {version} is installed and not catalogued: presets are checked for {nearest}, the nearest"
        " release; --swift-version, or swift-version in [tool.rollout-split], names another"
    )
