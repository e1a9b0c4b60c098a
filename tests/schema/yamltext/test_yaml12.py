"""Scalars that YAML 1.1 (PyYAML) and YAML 1.2 (ruamel.yaml) read differently."""

from pathlib import Path

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schema.errors import InputError
from schema.yamltext import Scalar
from schema.yamltext import parse
from schema.yamltext.yaml12 import differing

FILE = Path("/preset.yaml")
NUMBERS = "0123456789.eE+-_:xob"
WORDS = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".inf", ".nan", "inf", "nan", "=", "<<"]


def cased(word):
    return st.lists(st.booleans(), min_size=len(word), max_size=len(word)).map(
        lambda upper: "".join(c.upper() if up else c for c, up in zip(word, upper, strict=True))
    )


PLAIN = st.one_of(
    st.text(NUMBERS, min_size=1, max_size=7),
    st.from_regex(r"[-+]?[0-9_]{1,3}(\.[0-9_]{0,3})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,4}[-:][0-9]{1,2}[-:][0-9]{1,2}", fullmatch=True),
    st.sampled_from(WORDS).flatmap(cased),
    st.lists(st.sampled_from([*NUMBERS, *WORDS, *"TZ/$ é"]), min_size=1, max_size=5).map("".join),
)


def reported(text):
    return [(found.scalar.text, found.other) for found in differing(parse(FILE, text.encode()))]


def by_pyyaml(text):
    try:
        value = parse(FILE, text.encode()).root.entries[0].value
    except InputError:
        return None
    return value if isinstance(value, Scalar) else None


def by_ruamel(text):
    try:
        return YAML(typ="safe", pure=True).load(text)["k"]
    except (YAMLError, ValueError, NotImplementedError):
        return text.removeprefix("k: ")


@given(PLAIN)
def test_every_difference_is_reported(text):
    value = by_pyyaml(f"k: {text}")
    assume(value is not None and value.plain and value.text == text and text not in ("<<", "="))
    other = by_ruamel(f"k: {text}")
    assert reported(f"k: {text}") == ([] if repr(value.value) == repr(other) else [(text, other)])


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("1e-6", 1e-6),
        ("5E3", 5000.0),
        ("1.5e3", 1500.0),
        ("yes", "yes"),
        ("No", "No"),
        ("ON", "ON"),
        ("off", "off"),
        ("010", 10),
        ("0o17", 15),
        ("12:30", "12:30"),
        ("1:30.5", "1:30.5"),
    ],
)
def test_difference(text, other):
    assert reported(f"k: {text}") == [(text, other)]


@pytest.mark.parametrize(
    "text",
    [
        "1.0e-6", "-1", "0", "1.0", "true", "False", "~", "null", "y", "n", "text", "two words", "none",
        "'yes'", '"010"', "!!str 010", "2024-01-01", "---", "...", "one\n\n  two", "|\n  010\n", "",
        "http://x:80",
    ],
)  # fmt: skip
def test_both_read_alike(text):
    assert reported(f"k: {text}") == []


def test_differences_are_found_in_keys_lists_and_flows_and_once_behind_aliases():
    text = "on: [&x yes, {010: 1e-6}]\nb: *x\nc:\n  - off\n"
    assert [text for text, _ in reported(text)] == ["on", "yes", "010", "1e-6", "off"]
