"""Values as text that YAML 1.1 and YAML 1.2 readers take for the same value."""

from __future__ import annotations

import json

import yaml

from schema.rules.yaml import float_text
from schema.yamltext.yaml12 import as_yaml12
from schema.yamltext.yaml12 import same


def scalar(value: object, style: str | None = None) -> str:
    """A scalar, or a list of scalars in flow style, on one line.

    Args:
        value: None, a boolean, a number, a text, or a list of those.
        style: the quote of the value that it replaces, which a text keeps.

    Raises:
        TypeError: the value is something else.
    """
    if isinstance(value, list):
        return f"[{', '.join(_item(item) for item in value)}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value, style)
    raise TypeError(f"no scalar: {value!r}")


def _item(value: object) -> str:
    # Texts in lists are quoted, as presets do with hosts and data sets.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else scalar(value)


def _text(value: str, style: str | None) -> str:
    if style == "'" and "\n" not in value:
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not _plain_is_safe(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def _plain_is_safe(value: str) -> bool:
    try:
        read = yaml.safe_load(f"[{value}]")
    except yaml.YAMLError:
        return False
    return value != "" and same(read, [value]) and same(as_yaml12(value), value)


def shown(value: object) -> str:
    """A value on one line for messages; nested data as JSON."""
    try:
        return scalar(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, default=str)
