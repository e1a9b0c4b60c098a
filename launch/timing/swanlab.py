"""The rows of a swanlab file: from 0.8 on of messages, of JSON before.

A record has one number. swanlab counts steps of each name for itself, so a row is what was told until the step of
the training is (transformers 5.12.1, integrations/integration_utils.py:2419).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from launch.timing.records import BROKEN
from launch.timing.records import each
from launch.timing.records import fields
from launch.timing.records import records
from launch.timing.stamps import finite
from schema import jsontext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What closes a row.
STEP = "train/global_step"
#: Fields of the messages: the number in a record, its name, its value, and the value's own (0.10.3,
#: proto/swanlab/metric/data/v1).
_SCALAR, _KEY, _VALUE, _NUMBER = 13, 1, 5, 1


def rows(file: Path) -> Iterator[dict[str, float]]:
    """The numbers of each step, by name, as far as the file can be read."""
    row: dict[str, float] = {}
    with contextlib.suppress(*BROKEN):
        for record in records(file.read_bytes()):
            row.update(_json(record) if record.startswith(b"{") else _message(record))
            if STEP in row:
                yield row
                row = {}


def _message(record: bytes) -> Iterator[tuple[str, float]]:
    for scalar in fields(record, _SCALAR):
        for name in fields(scalar, _KEY):
            # Protocol buffers leave out a number that is zero.
            value = dict(each(b"".join(fields(scalar, _VALUE)))).get(_NUMBER, 0.0)
            if not isinstance(value, bytes) and (number := finite(value)) is not None:
                yield name.decode("utf-8", "replace"), number


def _json(record: bytes) -> Iterator[tuple[str, float]]:
    message = jsontext.loads(record.decode("utf-8", "replace"))
    data = message.get("data") if isinstance(message, dict) and message.get("model_type") == "Scalar" else None
    metric = data.get("metric") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(metric, dict) and (number := finite(metric.get("data"))) is not None:
        yield str(data.get("key")), number
