"""What the transaction asks of the operating system; every change of the disk is one of these calls."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Some network file systems cannot sync a folder; they answer with one of these.
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP)
#: An owner or group that this process may not give a file to, or that its container does not know.
_NOT_YOURS = (errno.EPERM, errno.EINVAL)


def digest(path: Path) -> str | None:
    """The SHA-256 of a file's content, in hex, or None if nothing is there; links are followed."""
    try:
        return digest_of(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def digest_of(content: bytes | None) -> str | None:
    """The SHA-256 of a content, in hex, or None for nothing."""
    import hashlib  # noqa: PLC0415 - with the next one 5 ms, and a diff writes nothing

    return None if content is None else hashlib.sha256(content).hexdigest()


def create(path: Path, content: bytes, mode: int = 0o666, like: Path | None = None) -> None:
    """Writes a file that must not be there yet, and syncs it; what cannot be completed goes again.

    Args:
        path: the new file.
        content: all of it.
        mode: its mode, less the umask.
        like: the file whose owner, group, mode and extended attributes it gets instead.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if like else mode)
    try:
        _write(handle, content)
        if like:
            _resemble(path, like)
        os.fsync(handle)
    except BaseException:
        with suppress(OSError):
            remove(path)
        raise
    finally:
        os.close(handle)


def _write(handle: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def _resemble(path: Path, like: Path) -> None:
    was, own = like.stat(), path.stat()
    if own.st_gid != was.st_gid:
        _give_group(path, was.st_gid)
    if own.st_uid != was.st_uid:
        _give_away(path, was.st_uid)
    import shutil  # noqa: PLC0415

    shutil.copystat(like, path)
    os.utime(path)  # all but the time of change stays


def _give_group(path: Path, group: int) -> None:
    try:
        os.chown(path, -1, group)
    except OSError as error:
        if error.errno in _NOT_YOURS:
            raise OSError(error.errno, f"only members of its group (id {group}) can keep it") from error
        raise


def _give_away(path: Path, owner: int) -> None:
    try:
        os.chown(path, owner, -1)
    except OSError as error:
        if error.errno not in _NOT_YOURS:  # only root may
            raise


def keep(path: Path, backup: Path) -> None:
    """Gives a file a second name, under which it stays as it is when the first one is replaced."""
    try:
        os.link(path, backup)
    except OSError:  # a file system without hard links, or a file that may not be linked
        create(backup, path.read_bytes(), like=path)


def replace(target: Path, by: Path) -> None:
    """Puts a file in the place of another one, or of nothing, in one step."""
    os.replace(by, target)


def remove(path: Path) -> None:
    """Removes a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def make_folder(path: Path) -> None:
    """Makes a folder that must not be there yet."""
    os.mkdir(path)


def remove_folder(path: Path) -> None:
    """Removes a folder, if it is there and empty."""
    with suppress(FileNotFoundError, NotADirectoryError):
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise


def sync(folders: Iterable[Path]) -> None:
    """Makes the names in folders durable."""
    for folder in dict.fromkeys(folders):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _sync(handle)
        finally:
            os.close(handle)


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def reason(error: OSError) -> str:
    """What the operating system says, in the middle of a sentence."""
    return (error.strerror or str(error)).lower()


def described(error: OSError) -> str:
    """The same, with the file if the operating system names it."""
    return f"{error.filename}: {reason(error)}" if error.filename else reason(error)
