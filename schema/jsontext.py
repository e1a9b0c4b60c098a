"""JSON that others wrote: bounded in size and depth, and never a surprise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from schema.yamltext.nodes import MAX_DEPTH

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes of a file; a checkpoint's config.json has some kB, with quantization some hundred.
MAX_SIZE = 1 << 24


def loads(text: str) -> object:
    """What a text says.

    Raises:
        ValueError: it is no JSON, or nested too deeply for anything that reads it.
    """
    try:
        data: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _is_deep(data):
        raise ValueError("nested too deeply")
    return data


def load(path: Path) -> object:
    """What a file says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, or too large, or no regular file: who reads a pipe waits for a writer.
    """
    if not path.is_file():
        raise ValueError("no file")
    with path.open("rb") as file:
        content = file.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise ValueError("too large")
    return loads(content.decode("utf-8"))


def _is_deep(data: object) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(item: object) -> list[object]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []
