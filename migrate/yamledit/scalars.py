"""Values as text that YAML 1.1 and YAML 1.2 readers take for the same value."""

from __future__ import annotations

import json
import re
from datetime import date
from datetime import datetime
from functools import lru_cache

from schema.pyyaml import yaml
from schema.swift import argument
from schema.yamltext.document import loader_of
from schema.yamltext.yaml12 import UNREADABLE
from schema.yamltext.yaml12 import as_yaml12
from schema.yamltext.yaml12 import float_text
from schema.yamltext.yaml12 import is_alike
from schema.yamltext.yaml12 import same

#: What JSON writes as it is, but YAML cannot hold, or takes for a line break.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: object, style: str | None = None) -> str:
    """A scalar, or a list of scalars in flow style, on one line; a text keeps the quotes (`style`) of an old one.

    Raises:
        TypeError: the value is neither None, a boolean, a number, a date, a text, nor a list of those.
    """
    if isinstance(value, list):
        return f"[{', '.join(_item(item) for item in value)}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return float_text(value) if isinstance(value, float) else str(value)
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, str):
        return _text(value, style)
    raise TypeError(f"no scalar: {value!r}")


def flow(value: object) -> str:
    """Plain data on one line: a scalar, or lists and mappings in flow style.

    Raises:
        TypeError: it holds something else.
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(key)}: {_inside(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(_inside, value))}]" if isinstance(value, list) else scalar(value)


def _inside(value: object) -> str:
    return flow(value) if isinstance(value, dict | list) else _item(value)


def _item(value: object) -> str:
    # Texts in lists are quoted, as presets do with hosts and data sets.
    return _quoted(value) if isinstance(value, str) else scalar(value)


def _text(value: str, style: str | None) -> str:
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return _quoted(value) if style == '"' or not _plain_is_safe(value) else value


def _quoted(value: str) -> str:
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


@lru_cache(maxsize=1024)
def _plain_is_safe(value: str) -> bool:
    try:
        text = f"[{value}]"
        read = yaml.load(text, loader_of(text))
    except UNREADABLE:
        return False
    return value != "" and same(read, [value]) and (is_alike(value) or same(as_yaml12(value), value))


def shown(value: object) -> str:
    """A value on one line for messages; nested data as JSON."""
    try:
        return scalar(value)
    except TypeError:
        return argument.text(value)
