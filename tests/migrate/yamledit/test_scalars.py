"""Values as text: whoever reads them, YAML 1.1 or 1.2, in block or flow style, reads what was written."""

import math

import pytest
import yaml
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from migrate.yamledit.scalars import scalar
from migrate.yamledit.scalars import shown
from tests.amounts import examples

#: Texts that some reader takes for something else, or that break the line they stand in.
# fmt: off
TRICKY = st.sampled_from([
    "", " ", "no", "ON", "y", "null", "~", "1", "-1", "0o17", "017", "0x1F", "1_000", "1e5", "1e-6", "1.", ".5",
    "+.inf", ".nan", "12:30:00", "2024-01-01", "-", "- a", "?", "? a", ":", "a: b", "a:", ":a", "#", "# a",
    "a #b", "a#b", "[", "]", "{a}", "a, b", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "'a'", '"a"', "'", '"',
    "<<", "=", "---", "...", "--- a", " a", "a ", "a\tb", "\t", "a\nb", "a\r\nb", "\\n", "C:\\new", "\x00", "\x07",
    "\x7f", "\x85", "\u2028", "\u00a0", "\ufeff", "a\ufeff", "\ufffe", "🚀", "模型", "127.0.0.1", "http://a/",
    "a" * 200,
])
# fmt: on
TEXTS = st.text() | TRICKY | st.lists(TRICKY, max_size=3).map("".join)
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes() | TEXTS
VALUES = ATOMS | st.lists(ATOMS, max_size=4)
READERS = {
    "PyYAML": lambda text: yaml.load(text, yaml.SafeLoader),
    "PyYAML with libyaml": lambda text: yaml.load(text, yaml.CSafeLoader),
    "ruamel.yaml": YAML(typ="safe", pure=True).load,
}
#: Where a value can stand: alone, before a comment, deep down, within flow style.
PLACES = {
    "key: {}\n": ["key"],
    "key: {}  # comment\nnext: 1\n": ["key"],
    "a:\n  b:\n    - {}\n": ["a", "b", 0],
    "key: {{a: {}, b: [{}]}}\n": ["key", "a"],
    "key: {}": ["key"],
}


def same(left, right):
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    equal = left == right or (isinstance(left, float) and math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and equal


def at(data, path):
    for step in path:
        data = data[step]
    return data


@examples(200)
@given(VALUES, st.sampled_from([None, "'", '"']), st.sampled_from(list(PLACES)))
@example(float("-inf"), None, "key: {}\n")
@example(1e16, None, "key: {}\n")
@example(-0.0, None, "key: {}\n")
@example("\x85", "'", "key: {}\n")
def test_what_is_written_is_read_by_all(value, style, place):
    text = place.format(scalar(value, style), scalar(value, style))
    for name, read in READERS.items():
        assert same(at(read(text), PLACES[place]), value), name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (300, "300"),
        (0.6, "0.6"),
        (1e-06, "1.0e-06"),
        (1e22, "1.0e+22"),
        (math.inf, ".inf"),
        (-math.inf, "-.inf"),
        (math.nan, ".nan"),
        ("server", "server"),
        ("a b", "a b"),
        ("no", '"no"'),
        ("1e-6", '"1e-6"'),
        ("2024-01-01", '"2024-01-01"'),
        (["127.0.0.1"], '["127.0.0.1"]'),
        ([8080, None, 0.5], "[8080, null, 0.5]"),
        ([], "[]"),
    ],
)
def test_spelling(value, text):
    assert scalar(value) == text


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [("server", "'", "'server'"), ("server", '"', '"server"'), ("it's", "'", "'it''s'"), ("a\nb", "'", '"a\\nb"')],
)
def test_quotes_are_kept_as_long_as_they_can_hold_the_text(value, style, text):
    assert scalar(value, style) == text


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", object()])
def test_what_is_no_scalar_is_not_written(value):
    with pytest.raises(TypeError):
        scalar(value)


def test_messages_show_nested_data_too():
    assert shown({"image": 5}) == '{"image": 5}'
    assert shown([{"a": None}]) == '[{"a": null}]'
