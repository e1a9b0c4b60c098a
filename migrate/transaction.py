"""Writes several files: all of them, or none."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(contents: Mapping[Path, bytes]) -> None:
    """Writes every file, each atomically: beside its target, synced, renamed over it.

    Links are followed, modes kept. What was already replaced when a later rename fails is put back.

    Raises:
        InputError: a file cannot be written; the files are as they were.
    """
    targets = _targets(contents)
    staged: dict[Path, Path] = {}
    target = Path()
    try:
        for target, content in targets.items():
            staged[target] = _reserved(target)
            _fill(staged[target], target, content)
        _replace(staged)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        place = Place(Path(error.filename2 or target))
        raise InputError(f"cannot be written: {reason}; no file was changed", place) from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _targets(contents: Mapping[Path, bytes]) -> dict[Path, bytes]:
    targets: dict[Path, bytes] = {}
    for path, content in contents.items():
        if targets.setdefault(path.resolve(), content) != content:
            raise InputError("is another name of a file that would get other content in this call", Place(path))
    return targets


def _reserved(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    return Path(name)


def _fill(temporary: Path, target: Path, content: bytes) -> None:
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if target.exists():
        _keep_owner(temporary, target)
        shutil.copystat(target, temporary)
        os.utime(temporary)  # the mode is kept, the time of change is now
    else:
        temporary.chmod(0o666 & ~_umask())


def _keep_owner(temporary: Path, target: Path) -> None:
    was = target.stat()
    with suppress(PermissionError):  # only root may give a file away
        os.chown(temporary, was.st_uid, was.st_gid)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _replace(staged: Mapping[Path, Path]) -> None:
    before = {target: target.read_bytes() if target.exists() else None for target in staged}
    done: list[Path] = []
    try:
        for target, temporary in staged.items():
            temporary.replace(target)
            done.append(target)
    except BaseException:
        for target in done:
            _restore(target, before[target])
        raise


def _restore(target: Path, content: bytes | None) -> None:
    if content is None:
        target.unlink()
    else:
        target.write_bytes(content)
