"""One ms-swift argument on a command line: its words, and whether ms-swift's parser takes them.

The parser is transformers' HfArgumentParser as ms-swift patches it (4.5.2, utils/utils.py parse_args).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.catalogue import Field

_BOOLEANS = ("yes", "true", "t", "y", "1", "no", "false", "f", "n", "0")
_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "json": "a mapping, or JSON text",
}


def words(name: str, value: object) -> list[str]:
    """The words that give an argument its value; none for an empty list, which stands for the default."""
    if isinstance(value, list):
        return [f"--{name}", *map(text, value)] if value else []
    only = text(value)
    # argparse would take a text that begins with a dash for an option.
    return [f"--{name}={only}"] if only.startswith("-") and isinstance(value, str) else [f"--{name}", only]


def text(value: object) -> str:
    """One value as a word: true/false for booleans, JSON for mappings and lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def problem(field: Field, value: object) -> str | None:
    """What is wrong with a value for a field, or None if the parser takes it."""
    if isinstance(value, list):
        if not field.many:
            return f"it takes {expected(field)}, not a list"
        if not value and field.default != []:
            return "a command line cannot pass an empty list; leave it out, or name at least one value"
        wrong = [item for item in value if not _takes(field, item)]
        return f"every item must be {expected(field)}, and {wrong[0]!r} is not" if wrong else None
    return None if _takes(field, value) else f"it must be {_article(field)}"


def expected(field: Field) -> str:
    """What one value of a field must be."""
    if field.choices:
        return "one of " + ", ".join(str(choice) for choice in field.choices if choice is not None)
    return _NAMES.get(field.kind, field.annotation)


def _article(field: Field) -> str:
    return f"a list, each item {expected(field)}" if field.many else expected(field)


def _takes(field: Field, value: object) -> bool:
    if isinstance(value, dict | list):
        return field.kind == "json"
    if not isinstance(value, str | int | float):  # a date, or bytes
        return False
    word = text(value)
    if field.kind == "bool":
        return word.lower() in _BOOLEANS
    if field.kind == "choice":
        return word in {str(choice) for choice in field.choices}
    return field.kind not in ("int", "float") or _is_number(field.kind, word)


def _is_number(kind: str, word: str) -> bool:
    try:
        int(word) if kind == "int" else float(word)
    except ValueError:
        return False
    return True
