"""The values of options that click has no type for; it calls these as types."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema.errors import InputError
from schema.split.gpus import parse_list
from schema.swift.address import Address

if TYPE_CHECKING:
    from schema.split.gpus import Gpus


def text(said: str) -> str:
    """What is not empty.

    Raises:
        click.BadParameter: it is empty.
    """
    if not said:
        raise click.BadParameter("it is empty")
    return said


def path(said: str) -> Path:
    """A file or a folder, which need not be there.

    Raises:
        click.BadParameter: it is empty.
    """
    return Path(text(said))


def gpus(said: str) -> Gpus:
    """GPUs by number, range or id.

    Raises:
        click.BadParameter: it is no such list.
    """
    try:
        return parse_list(text(said))
    except InputError as error:
        raise click.BadParameter(str(error)) from error


def address(said: str) -> Address:
    """A host and a port.

    Raises:
        click.BadParameter: it is no such pair.
    """
    host, _, port = said.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port):
        raise click.BadParameter(f"{said!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return Address(host.strip("[]"), int(port))


def seconds(said: str) -> float:
    """A time that ends.

    Raises:
        click.BadParameter: it is no number, is negative, or has no end.
    """
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{said!r} is not a number of seconds")
    return number


def ids(said: str) -> frozenset[str]:
    """Ids between commas; none at all may be."""
    return frozenset(filter(None, said.split(",")))
