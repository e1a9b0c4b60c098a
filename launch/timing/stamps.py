"""The lines of a run that tell of its time, with the moment at which the launcher read them.

The server's lines are those of its access log, which come when a request is done (ms-swift 3.10.0 to 4.6.0 name
its routes alike, pipelines/infer/rollout.py), the bar that an engine draws when it begins more than one completion
(4.6.0, infer_engine/grpo_vllm_engine.py:120; 3.10.0, :154), and vLLM's own. The learner's are the bars `Train:` of
its steps and `Val:` of its evaluations, and the line that it logs of a step (4.6.0, trainers/patcher.py:31;
3.10.0, trainers/callback.py:26).
"""

from __future__ import annotations

import ast
import contextlib
import json
import math
import re
import threading
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import TypeVar

from pydantic import ConfigDict
from pydantic import TypeAdapter

from launch.timing import vllm

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

T = TypeVar("T", bound=tuple[object, ...])
#: What the program of a side printed, and the stamps beside it.
OUTPUT, STAMPS = "output.log", "stamps.jsonl"

#: Routes of the server, by what a learner asks with them.
_ROUTES = {"infer": "completions", "reset_prefix_cache": "synced", "reset_encoder_cache": "synced"}
_REQUEST = re.compile(r'"POST /(infer|reset_prefix_cache|reset_encoder_cache|update_\w+)/ HTTP/[\d.]+" 200\b')
_BEGUN = re.compile(r"^ *0%\|[^|]*\| *0/(\d{1,9}) \[00:00<\?")
_STEP = re.compile(r"^Train: +\d+%\|[^|]*\| *(\d{1,9})/\d+ \[")
_EVALUATES = re.compile(r"^Val: +\d+%\|[^|]*\| *\d+/\d+ \[")
#: What a step's line says that a report needs.
_LOGGED = re.compile(r"completions/\w+|memory\(GiB\)|step_time|num_tokens|entropy/mean")
#: What Python prints of a number that is none, where the releases before 4.0 print numbers and not their texts.
_NO_NUMBER = re.compile(r"(?<=: )-?(?:nan|inf)\b")
#: Under which name it has the number of its step, such as 3/600.
NUMBER = "global_step/max_steps"
#: How a stamp that was written begins.
_AT = re.compile(r'\{"at": ([\d.]{1,20}),')
#: Characters of a line that may be one of these.
_LONGEST = 20_000


class Stamp(NamedTuple):
    """A line that tells of time.

    Attributes:
        at: seconds since the epoch at which the launcher read it.
        what: begun, completions, weights, synced, engine or cache, of the server; step, evaluates or log, of the
            learner; gpu, of either.
        step: of a step and of what is logged of it, its number; of completions that begin, how many they are.
        logged: numbers that the line tells, by name.
    """

    at: float
    what: str
    step: int | None = None
    logged: dict[str, float] | None = None


def stamps(line: str, at: float) -> Iterator[Stamp]:
    """The stamps of a line: none for most lines, and two where a bar has no end of its own."""
    if len(line) > _LONGEST:
        return
    if begun := _BEGUN.match(line):
        yield Stamp(at, "begun", int(begun[1]))
    if request := _REQUEST.search(line):
        yield Stamp(at, _ROUTES.get(request[1], "weights"))
    elif told := vllm.numbers(line):
        yield Stamp(at, told[0], logged=told[1])
    elif step := _STEP.match(line):
        yield Stamp(at, "step", int(step[1]))
    elif _EVALUATES.match(line):
        yield Stamp(at, "evaluates")
    elif line.startswith("{'") and "'completions/" in line:
        yield from _logged(line, at)


def _logged(line: str, at: float) -> Iterator[Stamp]:
    """What a learner logs of a step: a dictionary as Python prints it, of numbers or their texts."""
    try:
        logged = ast.literal_eval(_NO_NUMBER.sub("None", line))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return
    if isinstance(logged, dict) and (found := numbers(logged)):
        yield Stamp(at, "log", number(logged), found)


def number(logged: Mapping[Any, object]) -> int | None:
    """The number of the step after which a learner logged something, such as 3 of 3/600."""
    found = re.match(r"\d{1,9}\b", str(logged.get(NUMBER)))
    return int(found[0]) if found else None


def numbers(logged: Mapping[Any, object]) -> dict[str, float]:
    """What a report needs of what a learner logs of a step, by name; a text of a number is the number."""
    found = {name: finite(value) for name, value in logged.items() if _LOGGED.fullmatch(str(name))}
    return {name: value for name, value in found.items() if value is not None}


def finite(value: object) -> float | None:
    """A value as a number, if it is one, or the text of one; neither infinite nor a boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return found if math.isfinite(found := float(value)) else None
    return None


class Stamper:
    """Writes the stamps of one side as its lines pass; a bar is often drawn again, and each step counts once.

    Where they cannot be written, `fault` gets the reason once, and the run goes on without them.
    """

    def __init__(self, file: Path, fault: Callable[[OSError], None]) -> None:
        self._fault = fault
        self._step = -1
        self._begun = ""
        self._file: IO[str] | None = None
        self._one = threading.Lock()
        try:
            self._file = file.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            fault(error)

    def __call__(self, line: str, at: float, *, whole: bool = True) -> None:
        """Stamps a line if it tells of time; one that is not whole yet only if it is a bar, which has no end."""
        for found in stamps(line, at):
            if (whole or found.what in ("step", "begun")) and self._is_new(found, line):
                self.write(found)
        if whole:
            self._begun = ""

    def _is_new(self, found: Stamp, line: str) -> bool:
        if found.what == "begun":
            drawn, self._begun = self._begun, line
            return not (drawn and line.startswith(drawn))
        if found.what != "step":
            return True
        last, self._step = self._step, max(self._step, found.step or 0)
        return self._step > last

    def write(self, stamp: Stamp) -> None:
        """Writes one stamp; several threads may."""
        known = {name: value for name, value in stamp._asdict().items() if value is not None}
        with self._one:
            try:
                if self._file is not None:
                    self._file.write(json.dumps({**known, "at": round(stamp.at, 3)}) + "\n")
            except OSError as error:
                self.close()
                self._fault(error)

    def close(self) -> None:
        """Ends the file of stamps."""
        file, self._file = self._file, None
        with contextlib.suppress(OSError):  # a full disk was reported
            if file is not None:
                file.close()


def read(file: Path, *, wanted: Callable[[str], bool] = lambda _: True) -> list[Stamp]:
    """The stamps of a side, as far as they can be read; none where there is no such file.

    A server that ran for weeks has gigabytes, so `wanted` tells of each line whether it is read at all.
    """
    return list(read_lines(file, Stamp, wanted=wanted))


def between(first: float, last: float) -> Callable[[str], bool]:
    """Tells of each line whether it was written in some time, in seconds since the epoch."""

    def wanted(line: str) -> bool:
        at = _AT.match(line)
        return at is None or first <= float(at[1]) <= last

    return wanted


def read_lines(file: Path, kind: type[T], *, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[T]:
    """The records of a file that has one in each line, up to a line that is none, such as one cut off."""
    adapter = TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))
    with contextlib.suppress(OSError, ValueError), file.open(encoding="utf-8", errors="replace") as lines:
        yield from map(adapter.validate_json, filter(wanted, lines))
