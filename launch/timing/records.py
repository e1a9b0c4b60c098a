"""Files of records, as wandb and swanlab keep them: frames as LevelDB has them, and messages of protocol buffers.

A file begins with a header of seven bytes. It is made of blocks, and a record of pieces with a header each; none
crosses the end of a block (wandb 0.31.0, sdk/internal/datastore.py; swanlab 0.10.3 writes alike).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER, _BLOCK, _PIECE = 7, 32_768, struct.Struct("<IHB")
_WHOLE, _BEGIN, _END = 1, 2, 4
#: What reading a broken file may raise.
BROKEN = (OSError, ValueError, IndexError, RecursionError, struct.error)


def records(data: bytes) -> Iterator[bytes]:
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


def fields(message: bytes, number: int) -> Iterator[bytes]:
    """The messages and texts that a field of a message has."""
    return (value for found, value in each(message) if found == number and isinstance(value, bytes))


def each(message: bytes) -> Iterator[tuple[int, bytes | int | float]]:
    """The fields of a message of protocol buffers: their numbers and values.

    Raises:
        ValueError: one is of a type that neither writes; IndexError or struct.error where it is cut off.
    """
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
