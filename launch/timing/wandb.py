"""What a learner told wandb of its steps: the parts of `learn`, which ms-swift tells nobody else.

ms-swift times its methods and logs each to wandb in the row of its step, where the last call of a method counts
(4.5.2, rlhf_trainers/utils.py:565). wandb keeps rows in a file of its own: records as LevelDB frames them, each a
message of protocol buffers (wandb 0.31.0, proto/wandb_internal.proto: Record, HistoryRecord, HistoryItem). Its
library can no longer read that file, so this does.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from launch.timing.stamps import finite

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Methods that run once a rollout, by the name that a report has for what they do.
PARTS = {"rewards": "_compute_rewards_per_func", "batches": "_prepare_batch_inputs"}
_SAVED = re.compile(r"\bwandb: Run data is saved locally in (\S.*?)\s*$")
#: Lines of a learner's output among which wandb says where its file is.
_FIRST = 5_000
_TIMED = re.compile(r"profiling/Time taken: \w+\.(\w+)")
_STEP = "train/global_step"

#: A file begins with a header. It is made of blocks, and a record of pieces with a header each; none crosses the
#: end of a block.
_HEADER, _BLOCK, _PIECE = 7, 32_768, struct.Struct("<IHB")
_WHOLE, _BEGIN, _END = 1, 2, 4
#: Fields of the messages: the history in a record, an item in it; the key of an item, whole or in parts, and its
#: value in one of three forms.
_HISTORY, _ITEM, _KEY, _KEYS, _INTEGER, _NUMBER, _JSON = 2, 1, 1, 2, 5, 6, 16


def parts(output: Path) -> dict[int, dict[str, float]]:
    """Seconds of the parts of `learn`, by the step and the name; none if the run told wandb nothing.

    Args:
        output: what the learner printed, where wandb says in which folder its file is.
    """
    file = _file(output)
    found: dict[int, dict[str, float]] = {}
    for row in rows(file) if file is not None else ():
        timed = {match[1]: value for name, value in row.items() if (match := _TIMED.fullmatch(name))}
        if _STEP in row:
            known = {name: timed[method] for name, method in PARTS.items() if method in timed}
            found.setdefault(int(row[_STEP]), {}).update(known)
    return found


def _file(output: Path) -> Path | None:
    with contextlib.suppress(OSError), output.open(encoding="utf-8", errors="replace") as lines:
        for _, line in zip(range(_FIRST), lines, strict=False):
            if saved := _SAVED.search(line):
                return next(Path(saved[1]).glob("run-*.wandb"), None)
    return None


def rows(file: Path) -> Iterator[dict[str, float]]:
    """The numbers of each row of a wandb file, by name, as far as it can be read."""
    with contextlib.suppress(OSError, ValueError, IndexError, RecursionError, struct.error):
        for record in _records(file.read_bytes()):
            for history in _fields(record, _HISTORY):
                yield dict(_numbers(history))


def _numbers(history: bytes) -> Iterator[tuple[str, float]]:
    for item in _fields(history, _ITEM):
        fields = dict(_each(item))
        value: object = fields.get(_NUMBER, fields.get(_INTEGER))
        if isinstance(told := fields.get(_JSON), bytes):
            value = json.loads(told)
        if not isinstance(value, str) and (number := finite(value)) is not None:
            name = b".".join(_fields(item, _KEY)) or b".".join(_fields(item, _KEYS))
            yield name.decode("utf-8", "replace"), number


def _records(data: bytes) -> Iterator[bytes]:
    """Each record, put together from its pieces."""
    place, record = _HEADER, b""
    while place + _PIECE.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _PIECE.size:
            place += left  # too little for another piece
            continue
        _, size, kind = _PIECE.unpack_from(data, place)
        place += _PIECE.size
        piece = data[place : place + size]
        place += size
        if len(piece) < size:
            return  # cut off
        record = piece if kind in (_WHOLE, _BEGIN) else record + piece
        if kind in (_WHOLE, _END):
            yield record


def _fields(message: bytes, number: int) -> Iterator[bytes]:
    return (value for found, value in _each(message) if found == number and isinstance(value, bytes))


def _each(message: bytes) -> Iterator[tuple[int, bytes | int | float]]:
    """The fields of a message of protocol buffers: their numbers and values."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        value: bytes | int | float
        if key & 7 == 0:
            value, place = _varint(message, place)
        elif key & 7 == 1:
            (value,) = struct.unpack_from("<d", message, place)
            place += 8
        elif key & 7 == 2:
            size, place = _varint(message, place)
            value = message[place : place + size]
            place += size
        else:
            raise ValueError(f"field of type {key & 7}")
        yield key >> 3, value


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
