"""A wheel on the package index, read in place: of a few hundred MB only the parts that are asked for."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from typing import TYPE_CHECKING

from tools.extract.wheel import Wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

    from _typeshed import WriteableBuffer

_CHUNK = 1 << 18
_JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


class RemoteFile(io.RawIOBase):
    """A file behind a URL, read with HTTP range requests."""

    def __init__(self, url: str) -> None:
        """Asks for the size of the file at `url`."""
        self._url = url
        self._position = 0
        with _open(url, {"Range": "bytes=0-0"}) as answer:
            self._size = int(answer.headers["Content-Range"].rpartition("/")[2])

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset from the start, the position or the end."""
        self._position = (0, self._position, self._size)[whence] + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Reads from the position on until the buffer is full or the file ends."""
        view = memoryview(buffer)
        end = min(self._position + len(view), self._size)
        if end <= self._position:
            return 0
        with _open(self._url, {"Range": f"bytes={self._position}-{end - 1}"}) as answer:
            part = answer.read()
        view[: len(part)] = part
        self._position += len(part)
        return len(part)


def open_wheel(package: str, version: str) -> Wheel:
    """Opens a release's first wheel on the index; its Python sources are the same in all of them."""
    with _open(f"{_index()}/{package}/", _JSON) as answer:
        files = json.load(answer)["files"]
    pattern = rf"{package}-{re.escape(version)}-.*\.whl"
    url = next((file["url"] for file in files if re.fullmatch(pattern, file["filename"])), None)
    if url is None:
        raise LookupError(f"the package index has no wheel of {package} {version}")
    return Wheel(zipfile.ZipFile(io.BufferedReader(RemoteFile(url), _CHUNK)))


def _index() -> str:
    """The package index that pip is configured for, or else pip's own default."""
    configured = os.environ.get("PIP_INDEX_URL") or _pip("config", "get", "global.index-url").strip()
    return (configured or _default_index()).rstrip("/")


def _default_index() -> str:
    default = re.search(r"\(default (https?://[^\s)]+)\)", _pip("download", "--help"))
    if default is None:
        raise LookupError("pip does not tell its package index")
    return default[1]


def _pip(*arguments: str) -> str:
    """What a pip command prints, on lines that are not wrapped; nothing where it fails."""
    command = [sys.executable, "-m", "pip", *arguments]
    environment = {**os.environ, "COLUMNS": "1000"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def _open(url: str, headers: Mapping[str, str]) -> HTTPResponse:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310
    response: HTTPResponse = urllib.request.urlopen(request)  # noqa: S310
    return response
