"""Types of options that click does not have; it calls each with the text of an option, and --help calls none."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.errors import InputError

if TYPE_CHECKING:
    from schema.split.gpus import Gpus
    from schema.swift.address import Address

#: More GiB than any GPU has.
_MOST_GIB = 1e6


def text(value: str) -> str:
    """A text that is not empty.

    Raises:
        click.BadParameter: it is empty.
    """
    if not value:
        raise click.BadParameter("it is empty")
    return value


def path(value: str) -> Path:
    """A file or a folder, which need not exist.

    Raises:
        click.BadParameter: it is empty.
    """
    return Path(text(value))


def gpus(value: str) -> Gpus:
    """GPUs by number, range or id.

    Raises:
        click.BadParameter: it is not such a list.
    """
    from schema.split.gpus import parse_list

    try:
        return parse_list(text(value))
    except InputError as error:
        raise click.BadParameter(str(error)) from error


def address(value: str) -> Address:
    """A host and a port.

    Raises:
        click.BadParameter: it is not such a pair.
    """
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port):
        raise click.BadParameter(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080")
    from schema.swift.address import Address

    return Address(host.strip("[]"), int(port))


def seconds(value: str) -> float:
    """A finite number of seconds.

    Raises:
        click.BadParameter: it is not a number, is negative, or is infinite.
    """
    number = _number(value)
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{value!r} is not a number of seconds")
    return number


def gib(value: str) -> float:
    """A number of GiB, above 0 and below a million.

    Raises:
        click.BadParameter: it is none.
    """
    number = _number(value)
    if not 0 < number < _MOST_GIB:
        raise click.BadParameter(f"{value!r} is not a number of GiB, such as 80")
    return number


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def ids(value: str) -> frozenset[str]:
    """Ids between commas; there may be none."""
    return frozenset(filter(None, value.split(",")))
