"""Collects the corpus: the YAML files of the packages in packages.toml, deduplicated by their bytes.

Downloads with the ordinary clients (pip, npm, apt-get) into build/corpus/archives and unpacks nothing but
*.yaml and *.yml files; nothing of a package is ever run. What is there already is used again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "build" / "corpus"
MANIFEST = CORPUS / "manifest.json"
#: Files of a package at most, when packages.toml says nothing else.
FILES = 100
#: Bytes of a file at most: what is larger is data, not a configuration that somebody edits.
LARGEST = 32 * 1024


class Package(NamedTuple):
    """A package that ships YAML files, pinned."""

    name: str
    version: str
    index: str  # type: ignore[assignment]
    group: str
    sha256: str
    files: int = FILES


class Found(NamedTuple):
    """A YAML file in an archive."""

    name: str
    content: bytes


def packages() -> list[Package]:
    """The packages of packages.toml, in its order."""
    rows = tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))["package"]
    return [Package(**row) for row in rows]


def main() -> int:
    """Collects and prints how many files each package gave."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    rows = [row for package in packages() for row in _collected(package, seen)]
    MANIFEST.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    counts = Counter(row["package"] for row in rows)
    for name, count in counts.items():
        print(f"{count:6} {name}")
    training = sum(row["group"] == "training" for row in rows)
    print(f"{len(rows):6} files in build/corpus, {training} of them of training packages")
    return 0


def _collected(package: Package, seen: set[str]) -> Iterator[dict[str, str]]:
    archive = _archive(package)
    if archive is None:
        return
    # In the order of their digests: a cap that is the same everywhere and takes from all folders.
    fresh = {hashlib.sha256(found.content).hexdigest(): found for found in _yaml_files(archive)}
    for digest in sorted(fresh.keys() - seen)[: package.files]:
        seen.add(digest)
        path = Path("files") / _folder(package) / f"{digest[:12]}-{Path(fresh[digest].name).name}"
        _write(CORPUS / path, fresh[digest].content)
        yield {
            "path": str(path),
            "package": _folder(package),
            "group": package.group,
            "source": fresh[digest].name,
        }


def _folder(package: Package) -> str:
    name = package.name.lstrip("@").replace("/", "-")
    return f"{package.index}-{name}-{package.version}"


def _write(path: Path, content: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _archive(package: Package) -> Path | None:
    kept = CORPUS / "archives" / _folder(package)
    if not kept.exists():
        client = {"pypi": "pip", "npm": "npm", "debian": "apt-get"}[package.index]
        if client != "pip" and shutil.which(client) is None:
            print(f"   no {client} here: {package.name} is left out", file=sys.stderr)
            return None
        print(f"   {package.name} {package.version} ...", file=sys.stderr)
        if not _downloaded(package, kept):
            return None
    return kept


def _downloaded(package: Package, kept: Path) -> bool:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        done = subprocess.run(
            _command(package), cwd=folder, check=False, timeout=600, capture_output=True, text=True
        )
        archives = list(Path(folder).iterdir())
        if done.returncode or len(archives) != 1:
            print(f"   {package.name} is left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return False
        digest = hashlib.sha256(archives[0].read_bytes()).hexdigest()
        if digest != package.sha256:
            raise SystemExit(f"{package.name} {package.version}: archive {digest} is not the pinned one")
        archives[0].rename(kept)
    return True


def _command(package: Package) -> list[str]:
    if package.index == "pypi":
        # Wheels only: pip runs code of a source distribution to learn its metadata.
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        target = ["--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux2014_x86_64"]
        return [*pip, *target, f"{package.name}=={package.version}"]
    if package.index == "npm":
        return ["npm", "pack", "--ignore-scripts", "--silent", f"{package.name}@{package.version}"]
    return ["apt-get", "download", "--quiet", f"{package.name}={package.version}"]


def _yaml_files(archive: Path) -> Iterator[Found]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                if _is_wanted(info.filename, info.file_size):
                    yield Found(info.filename, wheel.read(info))
    elif archive.name.startswith("debian-"):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpacked:
            yield from _of_tar(fileobj=unpacked.stdout, mode="r|")
    else:
        yield from _of_tar(name=archive)


def _of_tar(**source: Any) -> Iterator[Found]:
    with tarfile.open(**source) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and _is_wanted(member.name, member.size) else None
            if file is not None:
                yield Found(member.name, file.read())


def _is_wanted(name: str, size: int) -> bool:
    return name.endswith((".yaml", ".yml")) and 0 < size <= LARGEST


if __name__ == "__main__":
    sys.exit(main())
