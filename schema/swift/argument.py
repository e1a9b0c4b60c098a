"""One ms-swift argument on a command line: its words, and whether ms-swift's parser takes them.

The parser is transformers' HfArgumentParser as ms-swift patches it (4.5.2, utils/utils.py parse_args).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TypeGuard

from schema import jsontext
from schema.yamltext.yaml12 import float_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.catalogue import Field

_NEGATIVE = r"-\d+|-\d*\.\d+"
_TRUE = ("yes", "true", "t", "y", "1")
_FALSE = ("no", "false", "f", "n", "0")
#: All words that the parser reads as booleans, in capitals or not.
BOOLEANS = _TRUE + _FALSE
_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "json": "a mapping, or JSON text",
}

#: Fields whose text ms-swift reads as JSON, or as the path of a JSON file (4.5.2, utils/utils.py:409).
JSON_FIELDS = (
    "columns",
    "gradient_checkpointing_kwargs",
    "lr_scheduler_kwargs",
    "max_memory",
    "model_kwargs",
    "mrl_dims",
    "vllm_limit_mm_per_prompt",
    "vllm_speculative_config",
)

#: Texts that ms-swift reads as JSON where they are no name (4.5.2, arguments/base_args/model_args.py:146,
#: arguments/rlhf_args.py:747, arguments/sft_args.py:309), so that a mapping may stand there.
NAMES_OR_MAPPINGS = ("rope_scaling", "teacher_deepspeed", "fsdp")

#: Lists that may be one text, too, as a keyword (4.5.2, arguments/base_args/base_args.py:143, :146 and :166,
#: model_args.py:206, data_args.py:104 and :119, arguments/rlhf_args.py:289 and :328, dataset/loader.py:314,
#: pipelines/train/tuner.py:94; transformers 5.12.1, training_args.py:1505 and :1540).
ONE_TEXT = (
    *("adapters", "cached_dataset", "cached_val_dataset", "chord_sft_dataset", "custom_dataset_info"),
    *("custom_register_path", "dataset", "debug", "external_plugins", "loss_type", "new_special_tokens"),
    *("ref_adapters", "report_to", "target_modules", "val_dataset"),
)
#: Texts or booleans (4.5.2, arguments/tuner_args.py:198; transformers 5.12.1, training_args.py:404).
_OR_BOOLEAN = ("init_weights", "trackio_static_space_id")
#: What a type in an annotation takes: a whole number is a number, too.
_TYPES = {"bool": (bool,), "int": (int,), "float": (float, int), "str": (str,), "dict": (dict,)}
#: Types of which the parser takes any value, by the kind of the field.
_TAKEN = {kind: types for kind, types in _TYPES.items() if kind != "dict"}
_TYPE = re.compile(rf"\b({'|'.join(_TYPES)})\b")

#: Fields whose type no word of a command line can make (transformers 5.12.1, training_args.py).
UNPASSABLE = ("liger_kernel_config", "parallelism_config")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a positive whole number; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def words(name: str, value: object) -> list[str]:
    """The words that give an argument its value; none for an empty list, which stands for the default."""
    items = [text(item) for item in value] if isinstance(value, list) else [text(value)]
    if len(items) == 1 and _dashed(items[0]):
        return [f"--{name}={items[0]}"]
    return [f"--{name}", *items] if items else []


def lost(value: object) -> str | None:
    """The first value that argparse would drop, or of several take for an option; None if it takes them all."""
    if not isinstance(value, list):
        return "--" if value == "--" else None
    items = [item for item in map(text, value) if item[:1] == "-"]  # no other word is ever dropped
    return next((item for item in items if item == "--" or (len(value) > 1 and is_option(item))), None)


def is_option(word: str) -> bool:
    """Whether argparse takes a word for an option."""
    return _dashed(word) and " " not in word


def _dashed(word: str) -> bool:
    # Such a word is an option to argparse, unless it has a space or is a number without exponent.
    return word.startswith("-") and word != "-" and not re.fullmatch(_NEGATIVE, word)


def text(value: object) -> str:
    """One value as a word: true/false for booleans, JSON for mappings and lists."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def unlike_json(value: object) -> Iterator[object]:
    """What JSON cannot hold of a value: dates and bytes, as values or keys."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from unlike_json(key)
            yield from unlike_json(item)
    elif isinstance(value, list):
        for item in value:
            yield from unlike_json(item)
    elif not (value is None or isinstance(value, str | int | float)):
        yield value


def plain(value: object) -> object:
    """A value as JSON can hold it: of a date, or of bytes, their text."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def truth(value: object) -> bool | None:
    """What the parser makes of a value for a boolean, or None if it refuses it."""
    if isinstance(value, bool):
        return value
    word = text(value).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def number(value: object) -> float | None:
    """What the parser makes of a value for a number, or None if it refuses it."""
    if value is None or isinstance(value, float):
        return value
    try:
        return float(text(value))
    except ValueError:
        return None


def mapping(value: object) -> dict[str, object] | None:
    """What ms-swift makes of a mapping, of JSON text, or of the path of a JSON file; None for anything else."""
    try:
        if isinstance(value, str):
            value = jsontext.load(Path(value)) if _is_file(value) else jsontext.loads(value)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # JSON text longer than any file's name, or no name at all
        return False


def problem(field: Field, value: object) -> str | None:
    """What is wrong with a value for a field, or None if the parser takes it."""
    if field.name in UNPASSABLE:
        return "no command line can pass it"
    if isinstance(value, list):
        if not field.many:
            return f"it must be {expected(field)}, not a list"
        if not value and field.default != []:
            return "a command line cannot pass an empty list; leave it out, or name at least one value"
        wrong = [item for item in value if not _takes(field, item)]
        return _no_item(field, wrong[0]) if wrong else None
    return None if _takes(field, value) else f"it must be {_article(field)}"


def mistyped(field: Field, value: object) -> str | None:
    """What is wrong with the type of a value that is passed as a keyword, or None: nothing converts it.

    As strict as the models, by the type that the release declares: texts are no numbers, numbers no texts,
    booleans neither, and one value is no list.
    """
    if not field.many:
        return None if _has_type(field, value) else f"it must be {expected(field)}"
    if not isinstance(value, list):
        alone = isinstance(value, str) and field.name in ONE_TEXT
        return None if alone else f"it must be {_article(field)}"
    wrong = [item for item in value if not _has_type(field, item)]
    return _no_item(field, wrong[0]) if wrong else None


def is_plain(field: Field, value: object) -> bool:
    """Whether a mere look shows that a value is right, as a word and as a keyword; it shows it of most."""
    if field.choices:
        return not field.many and isinstance(value, str) and value in field.choices
    taken = _always(field.kind, field.annotation)
    if field.many:
        return isinstance(value, list) and bool(value) and taken.issuperset(map(type, value))
    return type(value) in taken


@cache
def _always(kind: str, annotation: str) -> frozenset[type]:
    """The types of which any value is right."""
    return frozenset(_TAKEN.get(kind, ())).intersection(_types("", annotation))


def _has_type(field: Field, item: object) -> bool:
    if field.choices:
        return any(type(item) is type(choice) and item == choice for choice in field.choices)
    return type(item) in types(field)


def types(field: Field) -> tuple[type, ...]:
    """The types of one value of a field that is passed as a keyword, where it has no choices."""
    return _types(field.name, field.annotation)


@cache
def _types(name: str, annotation: str) -> tuple[type, ...]:
    also = (bool,) if name in _OR_BOOLEAN else (dict,) if name in NAMES_OR_MAPPINGS else ()
    return (*(kind for each in _TYPE.findall(annotation) for kind in _TYPES[each]), *also)


def retyped(field: Field, value: object) -> str | None:
    """How to write a value of which the type alone is wrong; None where that is not all, or it is a list."""
    if isinstance(value, list) or problem(field, value) is not None or mistyped(field, value) is None:
        return None
    made = parsed(field, value)
    if isinstance(made, list | str):
        return "make it a list" if field.many else "quote it"
    return f"write {float_text(made) if isinstance(made, float) else text(made)}"


def parsed(field: Field, value: object) -> object:
    """What the parser makes of a value, as data; the value itself where the parser refuses it."""
    items = [_plain(item) for item in value] if isinstance(value, list) else [_plain(value)]
    if problem(field, items if field.many else items[0] if len(items) == 1 else items) is not None:
        return value
    made = [_made(field, item) for item in items]
    return made if field.many else made[0]


def _plain(value: object) -> object:
    # A date is its text on a command line; numbers, booleans and mappings have words of their own.
    return value if isinstance(value, str | int | float | dict | list) else str(value)


def _made(field: Field, value: object) -> object:
    if isinstance(value, dict | list):
        return value
    if field.kind == "bool":
        return truth(value)
    if field.kind == "choice":
        return next(choice for choice in field.choices if str(choice) == text(value))
    if field.kind in ("int", "float") and isinstance(value, str):
        return int(value) if field.kind == "int" else float(value)
    if field.kind in ("int", "float"):
        return value
    return str(value)


def expected(field: Field) -> str:
    """What one value of a field must be."""
    if field.choices:
        return "one of " + ", ".join(str(choice) for choice in field.choices if choice is not None)
    return _NAMES.get(field.kind, field.annotation)


def _no_item(field: Field, item: object) -> str:
    return f"every item must be {expected(field)}, and {item!r} is not"


def _article(field: Field) -> str:
    return f"a list, each item {expected(field)}" if field.many else expected(field)


def _takes(field: Field, value: object) -> bool:
    return type(value) in _TAKEN.get(field.kind, ()) or _reads(field, value)


def _reads(field: Field, value: object) -> bool:
    if isinstance(value, dict | list):
        return field.kind == "json" or (isinstance(value, dict) and field.name in NAMES_OR_MAPPINGS)
    if not isinstance(value, str | int | float):  # a date, or bytes
        return False
    if field.kind == "json":
        return isinstance(value, str)
    word = text(value)
    if field.kind == "bool":
        return truth(value) is not None
    if field.kind == "choice":
        return word in {str(choice) for choice in field.choices}
    return field.kind not in ("int", "float") or _is_number(field.kind, word)


def _is_number(kind: str, word: str) -> bool:
    try:
        int(word) if kind == "int" else float(word)
    except ValueError:
        return False
    return True
