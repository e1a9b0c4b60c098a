"""One folder per start: its plan, the launcher's messages, and the output of the program."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from launch.run.terminal import Outlet
from launch.timing.stamps import STAMPS
from launch.timing.stamps import Stamper
from schema.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from launch.run.reporter import Reporter

#: Lines of output that a message about an end repeats.
TAIL = 20
#: Bytes of one line that are kept; the line of ms-swift's arguments has some 10,000.
_LONGEST = 1 << 20

#: Bytes of a progress bar, which ends only when it is drawn again.
_BAR = 1 << 10

LAUNCHER = "launcher.log"
_TERMINAL = "the terminal"


def folder(logs: Path, side: str) -> Path:
    """Makes the folder of one start.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        if not logs.exists():
            logs.mkdir(parents=True)
            (logs / ".gitignore").write_text("*\n", encoding="utf-8")
        return _new(logs, f"{time.strftime('%Y%m%d-%H%M%S')}-{side}")
    except OSError as error:
        raise InputError(f"{logs}: {error.strerror}; pass --logs DIR to write logs elsewhere") from error


def _new(logs: Path, name: str) -> Path:
    for number in range(1, 1000):
        path = logs / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            return path.absolute()
    raise FileExistsError(0, f"too many folders named {name}")


def link_latest(newest: Path, side: str, report: Callable[[str], None]) -> None:
    """Links `latest` and `latest-SIDE` to the folder of a start; a file that is not a link stays as it is."""
    for name in ("latest", f"latest-{side}"):
        _link(newest.with_name(name), newest.name, report)


def _link(link: Path, target: str, report: Callable[[str], None]) -> None:
    new = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        if link.exists() and not link.is_symlink():
            raise FileExistsError(errno.EEXIST, "it is not a link, and was left as it is")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(link)
    except OSError as error:
        report(f"{link} does not point at the newest logs: {error.strerror}")


class Pump(threading.Thread):
    """Copies output from a pipe to a file and, if asked, to this terminal, and keeps the last lines.

    It stamps the lines that tell of time. It always reads the pipe to its end, because a program that writes into
    a full or broken pipe would block or die. If the disk is full it goes on without the file, and if the terminal
    is broken, without the terminal.
    """

    def __init__(self, pipe: IO[bytes], file: Path, *, show: bool, report: Reporter) -> None:
        super().__init__(name="output", daemon=True)
        self._last: deque[str] = deque(maxlen=TAIL)
        self.notices: deque[str] = deque(maxlen=1000)
        self._pipe, self._file, self._report = pipe, file, report
        self._sinks = {_TERMINAL: Outlet(1)} if show else {}
        self.stamper = Stamper(file.with_name(STAMPS), partial(self._lost, STAMPS))
        self._partial = b""

    def _lost(self, name: str, error: OSError) -> None:
        self._report(f"{name} cannot be written: {error.strerror}; going on without it")

    def run(self) -> None:
        """Copies until every process that holds the other end is gone."""
        try:
            log = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._sinks[str(self._file)] = Outlet(log)
        except OSError as error:
            self._lost(str(self._file), error)
        while chunk := os.read(self._pipe.fileno(), 65536):
            for name in list(self._sinks):
                self._write(name, chunk)
            self._report.midway = _TERMINAL in self._sinks and not chunk.endswith(b"\n")
            self._keep_lines(chunk)
        self.stamper.close()

    def _write(self, name: str, chunk: bytes) -> None:
        try:
            self._sinks[name].put(chunk)
        except OSError as error:
            del self._sinks[name]
            self._lost(name, error)

    def _keep_lines(self, chunk: bytes) -> None:
        *lines, self._partial = (self._partial + chunk).replace(b"\r", b"\n").split(b"\n")
        self._partial = self._partial[-_LONGEST:]
        now = time.time()
        for line in lines:
            if text := line.decode("utf-8", "replace").rstrip():
                self.stamper(text, now)
                self._last.append(text)
                self.notices.append(text)
        if len(self._partial) < _BAR:
            self.stamper(self._partial.decode("utf-8", "replace"), now, whole=False)

    def last_lines(self) -> list[str]:
        """A copy of the last lines so far, because more output may come meanwhile."""
        return list(self._last.copy())

    def new_lines(self) -> list[str]:
        """The lines since the last call; of very many, the last ones."""
        lines = []
        with contextlib.suppress(IndexError):
            while True:
                lines.append(self.notices.popleft())
        return lines


class Tail:
    """The lines that another process appends to a file from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._position = self._size()
        self._partial = ""

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

    def new_lines(self) -> list[str]:
        """Complete lines since the last call; none if the file cannot be read."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._position)
                chunk = file.read()
        except OSError:
            return []
        self._position += len(chunk)
        *lines, self._partial = (self._partial + chunk.decode("utf-8", "replace")).replace("\r", "\n").split("\n")
        return lines


def last_lines(file: Path, number: int = TAIL) -> list[str]:
    """The last lines of a file that are not blank; none if it cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 65536))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()][-number:]
