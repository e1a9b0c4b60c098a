"""Which ms-swift release a preset is checked against."""

from __future__ import annotations

from importlib import metadata

from schema import catalogue
from schema.errors import InputError


def target(said: str | None = None) -> catalogue.Release:
    """The release that is named, else the installed one, else the newest in the catalogue.

    The installed ms-swift's version is read from its metadata; nothing of it is imported.

    Raises:
        InputError: a release is named that the catalogue does not hold.
    """
    version = said if said is not None else installed() or catalogue.newest()
    try:
        return catalogue.release(version)
    except catalogue.UnknownReleaseError as error:
        raise InputError(str(error)) from error


def installed() -> str | None:
    """The version of the installed ms-swift if the catalogue holds it, else None."""
    try:
        version = metadata.version("ms-swift")
    except metadata.PackageNotFoundError:
        return None
    return version if version in catalogue.versions() else None
