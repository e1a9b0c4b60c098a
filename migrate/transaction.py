"""Writes several files: all of them, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
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
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            target = path.resolve()
            staged[target] = _stage(target, content)
        _replace(staged)
    except OSError as error:
        named = Path(error.filename) if error.filename else next(iter(contents))
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be written: {reason}; no file was changed", Place(named)) from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _stage(target: Path, content: bytes) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "permission denied", str(target))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    staged = Path(name)
    if target.exists():
        shutil.copystat(target, staged)
        _keep_times(staged)
    else:
        staged.chmod(0o666 & ~_umask())
    return staged


def _keep_times(staged: Path) -> None:
    os.utime(staged)  # the mode is kept, the time of change is now


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
    except OSError:
        for target in done:
            _restore(target, before[target])
        raise


def _restore(target: Path, content: bytes | None) -> None:
    if content is None:
        target.unlink()
    else:
        target.write_bytes(content)
