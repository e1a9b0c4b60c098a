"""One folder a start: what was run, what the launcher said, and the output of what it started."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from launch.run.terminal import Outlet
from schema.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from launch.run.voice import Voice

#: Lines of output that messages about an end repeat.
TAIL = 20
#: Bytes of one line that are looked at; the line of ms-swift's arguments has some 10,000.
_LONGEST = 1 << 20

OUTPUT, LAUNCHER = "output.log", "launcher.log"
_TERMINAL = "the terminal"


def folder(logs: Path, side: str) -> Path:
    """Makes the folder of one start.

    Raises:
        InputError: it cannot be written there.
    """
    try:
        if not logs.exists():
            logs.mkdir(parents=True)
            (logs / ".gitignore").write_text("*\n", encoding="utf-8")
        return _new(logs, f"{time.strftime('%Y%m%d-%H%M%S')}-{side}")
    except OSError as error:
        raise InputError(f"{logs}: {error.strerror}; --logs DIR names another folder for logs") from error


def _new(logs: Path, name: str) -> Path:
    for number in range(1, 1000):
        path = logs / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path.absolute()
    raise FileExistsError(0, f"too many folders named {name}")


def point_at(made: Path, side: str, say: Callable[[str], None]) -> None:
    """Makes `latest` and `latest-SIDE` links to the folder of a start; what is no link stays as it is."""
    for name in ("latest", f"latest-{side}"):
        _point(made.with_name(name), made.name, say)


def _point(link: Path, target: str, say: Callable[[str], None]) -> None:
    new = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        if link.exists() and not link.is_symlink():
            raise FileExistsError(errno.EEXIST, "it is no link, and was left as it is")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(link)
    except OSError as error:
        say(f"{link} does not point at the newest logs: {error.strerror}")


class Pump(threading.Thread):
    """Carries output from a pipe to a file and, if wanted, to this terminal, and keeps the last lines.

    The pipe is always read to its end: what writes into a full or broken one would block or die. Where the disk
    is full the output goes on without its file, and without a terminal that takes no more.
    """

    def __init__(self, pipe: IO[bytes], file: Path, *, show: bool, voice: Voice) -> None:
        super().__init__(name="output", daemon=True)
        self._last: deque[str] = deque(maxlen=TAIL)
        self.notices: deque[str] = deque(maxlen=1000)
        self._pipe, self._file, self._voice = pipe, file, voice
        self._sinks = {_TERMINAL: Outlet(1)} if show else {}
        self._rest = b""

    def run(self) -> None:
        """Carries until every process that holds the other end is gone."""
        try:
            log = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._sinks[str(self._file)] = Outlet(log)
        except OSError as error:
            self._voice(f"{self._file} cannot be written: {error.strerror}; going on without it")
        while chunk := os.read(self._pipe.fileno(), 65536):
            for name in list(self._sinks):
                self._write(name, chunk)
            self._voice.midway = _TERMINAL in self._sinks and not chunk.endswith(b"\n")
            self._look(chunk)

    def _write(self, name: str, chunk: bytes) -> None:
        try:
            self._sinks[name].put(chunk)
        except OSError as error:
            del self._sinks[name]
            self._voice(f"{name} cannot be written: {error.strerror}; going on without it")

    def _look(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-_LONGEST:]
        for line in lines:
            if text := line.decode("utf-8", "replace").rstrip():
                self._last.append(text)
                self.notices.append(text)

    def last_lines(self) -> list[str]:
        """The last lines so far: a copy, since output may still come."""
        return list(self._last.copy())

    def new_lines(self) -> list[str]:
        """The lines since the last call, as far as they were kept."""
        found = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self.notices.popleft())
        return found


class Tail:
    """The lines that another process appends to a file, from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = self._size()
        self._rest = ""

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

    def new_lines(self) -> list[str]:
        """Whole lines since the last call; none where the file cannot be read."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._position)
                chunk = file.read()
        except OSError:
            return []
        self._position += len(chunk)
        *lines, self._rest = (self._rest + chunk.decode("utf-8", "replace")).replace("\r", "\n").split("\n")
        return lines


def last_lines(file: Path, number: int = TAIL) -> list[str]:
    """The last lines of a file that say something; none where it cannot be read."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - 65536))
            text = opened.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()][-number:]
