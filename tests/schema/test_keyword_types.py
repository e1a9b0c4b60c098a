"""Types of values that are passed as keywords: as strict as pydantic is with the annotations of each release."""

import datetime as dt
from typing import Any
from typing import Literal
from typing import Optional
from typing import Union

import pytest
from pydantic import TypeAdapter
from pydantic import ValidationError

from schema import catalogue
from schema.swift import argument

SIDES = ("trainer", "server")
VALUES = (
    *(True, False, 0, 1, 8, -1, 1.5, 2.0, float("inf"), "", "1", "1.5", "1e-6", "true", "text", "float8"),
    *([], [1], [1.5], [True], ["a"], ["a", 1], [["a"]], {}, {"a": 1}, dt.date(2024, 1, 1), b"text"),
)
#: What ms-swift looks for itself, beyond its own annotations: the lines are in schema/swift/argument.py.
ALSO = {
    **dict.fromkeys(("rope_scaling", "teacher_deepspeed"), dict),
    **dict.fromkeys(("external_plugins", "custom_register_path", "adapters", "ref_adapters"), str),
    **dict.fromkeys(("new_special_tokens", "custom_dataset_info", "target_modules", "loss_type"), str),
    **dict.fromkeys(("dataset", "val_dataset", "chord_sft_dataset", "report_to"), str),
    **dict.fromkeys(("cached_dataset", "cached_val_dataset"), str),
    "init_weights": bool,
    "fsdp": dict,
}
NAMES = {"Any": Any, "List": list, "Literal": Literal, "Optional": Optional, "Union": Union, "Path": str}
#: Classes of transformers that annotations name; a value of each is a text.
TEXTS = ("HubStrategy", "IntervalStrategy", "OptimizerNames", "SaveStrategy", "GenerationConfig", "FSDPOption")
#: Fields that may be lists, of which a command line passes one word alone: the parser's error comes first.
ONE_WORD = ("fsdp", "optim_target_modules")


def declared(field):
    """The annotation as a type, without None, for a null counts as unset."""
    kind = eval(field.annotation, NAMES | dict.fromkeys(TEXTS, str))  # noqa: S307 - our own data
    if field.choices and not field.many:
        kind = Literal[tuple(choice for choice in field.choices if choice is not None)]
    whole: Any = Union[kind, ALSO[field.name]] if field.name in ALSO else kind  # noqa: UP007
    return TypeAdapter(whole)


def takes(adapter, value):
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("version", ["3.10.0", "4.0.0", catalogue.newest()])
def test_types_are_those_that_the_release_declares(version, side):
    fields = getattr(catalogue.release(version), side).values()
    for field in fields:
        if field.name in argument.UNPASSABLE or field.name == "debug":
            continue
        adapter = declared(field)
        for value in VALUES:
            if isinstance(value, list) and field.name in ONE_WORD:
                continue
            ours = argument.mistyped(field, value) is None
            # A Literal of pydantic takes True for 1 and 0 for False, and we do not.
            if not ((field.choices or "Literal" in field.annotation) and isinstance(value, int | float)):
                assert ours == takes(adapter, value), (field.name, field.annotation, value)


@pytest.mark.parametrize("value", [True, 1.0, 8.0, "8"])
def test_choice_has_the_type_of_its_value(value):
    assert argument.mistyped(catalogue.release("4.5.2").trainer["quant_bits"], value) is not None


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("learning_rate", "1e-6", "write 1.0e-06"),
        ("learning_rate", "5", "write 5.0"),
        ("logging_steps", "5", "write 5"),
        ("bf16", "no", "write false"),
        ("quant_bits", "8", "write 8"),
        ("run_name", 2024, "quote it"),
        ("callbacks", "lisa", "make it a list"),
        ("interleave_prob", 0.5, "make it a list"),
        ("interleave_prob", ["0.5"], None),
        ("learning_rate", "fast", None),
        ("learning_rate", 5, None),
        ("dataset", "train.jsonl", None),
    ],
)
def test_how_to_write_it_is_named_where_the_type_alone_is_wrong(name, value, written):
    assert argument.retyped(catalogue.release("4.5.2").trainer[name], value) == written
