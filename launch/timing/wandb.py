"""The rows of a wandb file, which wandb's own library can no longer read (0.31.0).

Each is a message (proto/wandb_internal.proto: Record, HistoryRecord, HistoryItem).
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from launch.timing.records import BROKEN
from launch.timing.records import each
from launch.timing.records import fields
from launch.timing.records import records
from launch.timing.stamps import finite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Fields of the messages: the history in a record, an item in it; the key of an item, whole or in parts, and its
#: value in one of three forms.
_HISTORY, _ITEM, _KEY, _KEYS, _INTEGER, _NUMBER, _JSON = 2, 1, 1, 2, 5, 6, 16


def rows(file: Path) -> Iterator[dict[str, float]]:
    """The numbers of each row of a wandb file, by name, as far as it can be read."""
    with contextlib.suppress(*BROKEN):
        for record in records(file.read_bytes()):
            for history in fields(record, _HISTORY):
                yield dict(_numbers(history))


def _numbers(history: bytes) -> Iterator[tuple[str, float]]:
    for item in fields(history, _ITEM):
        known = dict(each(item))
        value: object = known.get(_NUMBER, known.get(_INTEGER))
        if isinstance(text := known.get(_JSON), bytes):
            value = json.loads(text)
        if not isinstance(value, str) and (number := finite(value)) is not None:
            name = b".".join(fields(item, _KEY)) or b".".join(fields(item, _KEYS))
            yield name.decode("utf-8", "replace"), number
