"""Where the proof asks PyYAML alone, ruamel.yaml reads the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from migrate.readers import says_one_thing
from schema.errors import InputError
from schema.yamltext import parse
from schema.yamltext.yaml12 import same
from tests.amounts import examples
from tests.amounts import floor

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("tests/migrate/cases*/**/before/**/*.yaml")])
WORDS = "a b é 1 1.0 -1 +1 null true a-b x,y it's _ 1_0 /a ~ $x a: : :: a:b - --- ... . ( ) ="
SIGNS = """[ ] { } , [] {} 'y' "x" '' '#' " ' # :]"""
SPACED = [
    "a b",
    "b: ",
    "- ",
    "<<: ",
    "? ",
    "it's, ",
    ", ",
    "[a, b]",
    "{a: 1}",
    '"a: b"',
    ' "]',
    "!!int 010",
    " # c",
]
TOKENS = [*WORDS.split(), *SIGNS.split(), *SPACED, "# x", "  ", "    "]
ENDS = ["", " 1", " a b", ' "x"', " [a, b]", " {a: 1}", " [", " {", " a,", ' "q', ' q"', " # c", " - a"]
STARTS = ["a:", "b:", "c:", "- d:", "- ", "]", "}", "e,"]
LINES = st.one_of(
    st.lists(st.sampled_from(TOKENS), max_size=5).map("".join),
    st.builds(str.__add__, st.sampled_from(STARTS), st.sampled_from(ENDS)),
)
INDENTED = st.builds(lambda depth, line: " " * depth + line, st.sampled_from([0, 0, 0, 2, 2, 4, 1]), LINES)
TEXTS = st.lists(INDENTED, min_size=1, max_size=6).map("\n".join)
CUTS = st.tuples(st.integers(0, 14_000), st.integers(0, 3), st.sampled_from([*TOKENS, "", "\n", "\n\n", "\n  "]))


def reads_alike(content):
    """None if it is no file that the proof reads with PyYAML alone."""
    try:
        document = parse(Path("/preset.yaml"), content)
        data = document.data()
    except InputError:
        return None
    return same(data, YAML(typ="safe", pure=True).load(document.text) or {}) if says_one_thing(document) else None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_preset(file):
    assert reads_alike(file.read_bytes()) in (True, None)


@pytest.mark.parametrize("name", ["summary_1024.yaml", "summary_1024_attr_key_recall.yaml", "dense_2048.yaml"])
def test_a_shipped_preset_needs_one_reader(name):
    assert reads_alike((ROOT / "configs/train/grpo" / name).read_bytes())


def test_lines_of_any_words():
    with floor(0.05) as told:

        @examples(600)
        @given(TEXTS)
        def alike(text):
            told.append((found := reads_alike(text.encode())) is not None)
            assert found in (True, None)

        alike()


def test_a_shipped_preset_with_something_cut_or_put_in():
    preset = (ROOT / "configs/train/grpo/summary_1024.yaml").read_text()
    with floor(0.1) as told:

        @examples(60)
        @given(CUTS)
        def alike(cut):
            here, length, token = cut
            text = preset[:here] + token + preset[here + length :]
            told.append((found := reads_alike(text.encode())) is not None)
            assert found in (True, None)

        alike()


@pytest.mark.parametrize(
    "text",
    [
        "a: 1e-6", "a: yes", "a: 0o17", "._: 1", "a: 2024-01-01", "a: |\n  b", "a: >\n  b", "a: &x 1\nb: *x",
        "a: !!str 1", "? a\n: b", "%YAML 1.1\n---\na: 1", "---\na: 1", 'a: "\\x41"', "a: 1 # \u2028b: 2",
        "a: 1\r\nb: 2", "a: {b:c}", 'a: "b\n  c"', "a: [b:]", "a: b?",
        'a: [[b ":], c" ]', "a: [it's, !!int 010, it's]", "k: {it'c:, x:y's}", """k: [a ", ? :b" c]""",
    ],
)  # fmt: skip
def test_both_readers_are_asked(text):
    assert not says_one_thing(parse(Path("/preset.yaml"), text.encode()))
