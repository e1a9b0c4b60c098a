"""The source files of a release's wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Wheel(NamedTuple):
    """An opened wheel."""

    archive: zipfile.ZipFile

    def text(self, path: str) -> str | None:
        """The text of a file in the wheel; None when there is no such file."""
        try:
            return self.archive.read(path).decode()
        except KeyError:
            return None

    def metadata(self) -> str:
        """The wheel's METADATA, which ends with the README."""
        path = next(name for name in self.archive.namelist() if name.endswith(".dist-info/METADATA"))
        return self.archive.read(path).decode()


def fetch(package: str, version: str, cache: Path) -> Wheel:
    """Opens a release's wheel, downloading it with pip into `cache` unless it is there."""
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not any(cache.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
        subprocess.run([*command, f"{package}=={version}"], check=True)
    return Wheel(zipfile.ZipFile(next(cache.glob(pattern))))
