"""The lines of a run that tell of its time, with the moment at which the launcher read them.

The server's lines are those of its access log, which come when a request is done (ms-swift 3.10.0 to 4.6.0 name
its routes alike, pipelines/infer/rollout.py). The learner's are the bar `Train:` of its steps and the line that it
logs of them (4.6.0, trainers/patcher.py:31; 3.10.0, trainers/callback.py:26).
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

T = TypeVar("T")
#: The file of stamps beside the output of each side.
STAMPS = "stamps.jsonl"

#: Routes of the server, by what a learner asks with them.
_ROUTES = {"infer": "completions", "reset_prefix_cache": "synced", "reset_encoder_cache": "synced"}
_REQUEST = re.compile(r'"POST /(infer|reset_prefix_cache|reset_encoder_cache|update_\w+)/ HTTP/[\d.]+" 200\b')
_BAR = re.compile(r"^Train: +\d+%\|[^|]*\| *(\d+)/\d+ \[")
#: What a step's line says that a report needs.
_LOGGED = re.compile(r"completions/\w+|memory\(GiB\)|step_time|num_tokens|entropy/mean")
#: Characters of a line that may be one of these.
_LONGEST = 20_000


class Stamp(NamedTuple):
    """A line that tells of time.

    Attributes:
        at: seconds since the epoch at which the launcher read it.
        what: completions, weights or synced, of the server; step or log, of the learner.
        step: of a step, its number.
        logged: of a step's line, its numbers by name.
    """

    at: float
    what: str
    step: int | None = None
    logged: dict[str, float] | None = None


def stamp(line: str, at: float) -> Stamp | None:
    """The stamp of a line, or None for any other line."""
    if len(line) > _LONGEST:
        return None
    if request := _REQUEST.search(line):
        return Stamp(at, _ROUTES.get(request[1], "weights"))
    if bar := _BAR.match(line):
        return Stamp(at, "step", int(bar[1]))
    if line.startswith("{'") and "'completions/" in line and (logged := _numbers(line)):
        return Stamp(at, "log", logged=logged)
    return None


def _numbers(line: str) -> dict[str, float]:
    """The numbers of a line that a learner logs: a dictionary as Python prints it, of numbers or their texts."""
    try:
        logged = ast.literal_eval(line)
        return {name: float(value) for name, value in logged.items() if _LOGGED.fullmatch(name)}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {}


class Stamper:
    """Writes the stamps of one side as its lines pass; a bar is often drawn again, and each step counts once.

    Args:
        file: where they are written.
        fault: gets, once, the reason why they cannot be written; the run goes on without them.
    """

    def __init__(self, file: Path, fault: Callable[[OSError], None]) -> None:
        self._fault = fault
        self._step = -1
        self._file: IO[str] | None = None
        try:
            self._file = file.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            fault(error)

    def __call__(self, line: str, at: float, *, whole: bool = True) -> None:
        """Stamps a line if it tells of time; one that is not whole yet only if it is a bar, which has no end."""
        found = stamp(line, at)
        if found is None or self._file is None or not (whole or found.what == "step"):
            return
        if found.step is not None and found.step <= self._step:
            return
        self._step = self._step if found.step is None else found.step
        logged = {name: value for name, value in found._asdict().items() if value is not None}
        try:
            self._file.write(json.dumps({**logged, "at": round(at, 3)}) + "\n")
        except OSError as error:
            self.close()
            self._fault(error)

    def close(self) -> None:
        """Ends the file of stamps."""
        file, self._file = self._file, None
        with contextlib.suppress(OSError):  # a full disk was reported
            if file is not None:
                file.close()


def read(file: Path) -> list[Stamp]:
    """The stamps of a side, as far as they can be read; none where there is no such file."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return list(read_lines(text, Stamp))


def read_lines(text: str, kind: type[T]) -> Iterator[T]:
    """The records of a file that has one in each line, up to a line that a launcher did not finish."""
    with contextlib.suppress(ValueError, TypeError):
        yield from (kind(**json.loads(line)) for line in text.splitlines())
