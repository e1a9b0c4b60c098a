"""Parsing: the data that PyYAML's safe loader makes, at the places where the text has it; or a clear error."""

import datetime as dt
import re
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InputError
from schema.yamltext import Alias
from schema.yamltext import Scalar
from schema.yamltext import Sequence
from schema.yamltext import parse
from schema.yamltext import read
from schema.yamltext.construct import MAX_NODES
from schema.yamltext.document import MAX_SIZE
from schema.yamltext.nodes import MAX_DEPTH

FILE = Path("/preset.yaml")

DOCUMENTS = {
    "nothing": "",
    "comments only": "# a\n\n# b\n",
    "an empty document": "---\n...\n",
    "plain scalars of YAML 1.1": dedent("""\
        integers: [1, -1, 0, 010, 0x1F, 0b11, 1_000, 12:30, +5]
        floats: [1.0, 1.0e-6, 1e-6, .5, 5., -.inf, .nan, 1.e+3, 1:30.5]
        booleans: [yes, No, ON, off, true, False, y, n]
        nulls: [~, null, NULL, ]
        dates: [2024-01-01, 2024-01-01 10:00:00Z, 2024-1-1]
        texts: [1.2.3, "-1", '010', a b, http://x:8000, "0o17"]
        """),
    "no values": "a:\nb:   # comment\nc: \n  # comment\nd: {e: , f}\ng:\n  -\n  - 1\n",
    "quotes": "a: 'it''s'\nb: \"\\u00e9\\n\\x41 \\\n  folded\"\nc: 'over\n  two\n\n  lines'\nd: ''\n",
    "plain over lines": "a: one\n  two\n\n  three\nb: x\n",
    "block scalars": "a: |\n  x\n   y\nb: >-\n  x\n  y\n\n  z\nc: |+\n  x\n\nd: |2\n   x\n",
    "block scalar at the end, no newline": "a: |\n  x",
    "flow over lines": "a: [\n  1, {b: 2,\n  c: [3]}, # comment\n  4,\n]\nd: {e: 1,\n f: }\n",
    "lists at the indent of their key": "a:\n- 1\n- b: 2\n  c: 3\n- - 4\n  - 5\n",
    "keys that are no plain text": "\"a b\": 1\n'c': 2\n3: x\ntrue: y\n~: z\n2024-01-01: d\n? e\n: 5\n",
    "a key over lines": "? |\n  a\n  b\n: 1\n",
    "anchors and aliases": "a: &x {b: [1, &y 2]}\nc: *x\nd: [*y, *x]\n*y : e\n",
    "merge keys": dedent("""\
        one: &one {a: 1, b: 1}
        two: &two {b: 2, c: 2}
        over: {<<: *one, a: 3}
        under: {a: 3, <<: *one}
        first wins: {<<: [*one, *two]}
        inline: {<<: {a: 0}}
        through: &three {<<: *two, d: 4}
        twice: {<<: *three}
        """),
    "a merge key in quotes is a key": 'a: {"<<": 1}\n',
    "an equals sign as a key": "a: {=: 1}\n",
    "tags": "a: !!str 1\nb: !!int '1'\nc: !!float 1\nd: !!seq [1]\ne: !!map {a: 1}\nf: !!binary aGk=\n",
    "the tag that says nothing": "a: ! 5\nb: !\n",
    "the same of what is quoted, or a block": "a: ! '12'\nb: ! |-\n  true\nc: '12'\nd: |-\n  true\n",
    "wide characters": "é: 电柜 # 电柜\n😀: '😀'\nz: [😀, 1]\n",
    "tabs": "a: 1  #\tcomment\nb: 'x\ty'\nc: |\n  x\ty\n",
    "document markers": "%YAML 1.1\n---\na: 1\n...\n",
    "other line breaks": "a: 1\rb: 2\r\nc: 3\x85d: 4\u2028e: 5\n",
    "what libyaml reads otherwise": "a: [b:]\nc: ?d\n",
}


def parsed(text):
    return parse(FILE, text.encode())


def typed(data):
    """Data in a form in which 1, 1.0 and True differ, NaN equals NaN, and the order of keys is no matter."""
    if isinstance(data, dict):
        return sorted((repr(key), typed(value)) for key, value in data.items())
    return [typed(item) for item in data] if isinstance(data, list) else repr(data)


def scalars(node):
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    elif node is not None and not isinstance(node, Alias):
        for entry in node.entries:
            yield from scalars(entry.key)
            yield from scalars(entry.value)


@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_data_is_that_of_safe_load(text, newline, bom):
    text = re.sub("(?<!\r)\n", newline, text)
    document = parsed(bom + text)
    assert typed(document.data()) == typed(yaml.safe_load(bom + text) or {})
    assert (document.bom, document.text) == (bom, text)


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_span_of_a_scalar_holds_the_scalar(text):
    breaks = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
    for scalar in scalars(parsed(text).root):
        start, end, *lines_and_columns = scalar.span
        before, until = breaks.split(text[:start]), breaks.split(text[:end])
        assert lines_and_columns == [len(before), len(before[-1]) + 1, len(until), len(until[-1]) + 1]
        assert reread(scalar, text[start:end]) == typed(scalar.value)


def reread(scalar, text):
    if scalar.text in ("<<", "=") and scalar.plain:  # keys only
        return typed(text)
    return typed(yaml.safe_load(f"k: {text}")["k"])


def test_span_of_a_collection_ends_with_its_last_leaf():
    text = "a:\n  b: [1,\n    2]  # c\n  d:\n  - 3\n  # e\n\nf: {}\n"
    document = parsed(text)
    a, f = document.root.entries
    b, d = a.value.entries
    spans = {
        name: text[slice(*node.span[:2])] for name, node in {"b": b.value, "d": d.value, "f": f.value}.items()
    }
    assert spans == {"b": "[1,\n    2]", "d": "- 3", "f": "{}"}
    assert text[slice(*a.value.span[:2])] == "b: [1,\n    2]  # c\n  d:\n  - 3"


def test_alias_knows_its_own_place_and_what_it_names():
    document = parsed("a: &x 1\nbc: [*x]\n")
    alias = document.root.entries[1].value.items[0]
    assert (alias.name, alias.target.value, alias.span[2:]) == ("x", 1, (2, 6, 2, 8))
    assert document.text[slice(*alias.span[:2])] == "*x"


# --- Random documents -------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12),
    st.text(" -:#'\"[]{},&*!|>%@`\n~?=<1e.", max_size=8),
    st.sampled_from(["no", "on", "1e-6", "1.0e-6", "010", "0o17", "12:30", "~", "null", "2024-01-01", "<<", "="]),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(dt.date(1000, 1, 1)), TEXTS)
KEYS = st.one_of(TEXTS, st.integers(), st.booleans(), st.none())
TREES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=4), max_leaves=20
)
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "default_style": st.sampled_from([None, None, '"', "'", "|", ">"]),
        "indent": st.integers(2, 6),
        "width": st.sampled_from([20, 80, 1000]),
        "allow_unicode": st.booleans(),
        "explicit_start": st.booleans(),
        "line_break": st.sampled_from(["\n", "\r\n"]),
    }
)


@st.composite
def documents(draw):
    data = draw(st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
    return yaml.safe_dump(data, sort_keys=False, **draw(STYLES))


REFUSED = object()
#: What safe_load lets pass, and we refuse on purpose.
STRICTER = "duplicate key|not a mapping|is not allowed in a preset|invalid Unicode character"


def read_alike(text):
    """Our data, which must be safe_load's; None if both refuse the text, or we are stricter on purpose."""
    try:
        expected = yaml.safe_load(text)
    except Exception:  # not only YAMLError: safe_load lets some escape
        expected = REFUSED
    try:
        ours = parsed(text).data()
    except InputError as error:
        ours, message = None, error.message
    if expected is REFUSED:
        assert ours is None, text
    elif ours is None:
        assert re.search(STRICTER, message), text
    else:
        assert typed(ours) == typed(expected or {}), text
    return ours


@given(documents(), st.sampled_from(["", "\ufeff"]))
def test_dumped_document_is_read_as_safe_load_reads_it(text, bom):
    assert read_alike(bom + text) is not None


@given(documents(), st.data())
def test_document_with_comments_in_it_is_read_as_safe_load_reads_it(text, data):
    lines = text.splitlines(keepends=True)
    for _ in range(3):
        at = data.draw(st.integers(0, len(lines)))
        lines.insert(at, data.draw(st.sampled_from(["# comment\n", "   # a: [\n", "\n", "\t# tab\n"])))
    read_alike("".join(lines))


@given(documents(), st.data())
def test_scalar_can_be_replaced_by_its_span(text, data):
    document = parsed(text)
    every = list(scalars(document.root))
    number = data.draw(st.integers(0, len(every) - 1))
    scalar = every[number]
    new = '"replaced"\n' if scalar.style in ("|", ">") else '"replaced"'
    values = [typed(other.value) for other in every]
    changed = parsed(text[: scalar.span.start] + new + text[scalar.span.end :])
    values[number] = typed("replaced")
    assert [typed(other.value) for other in scalars(changed.root)] == values


PIECES = (
    "a", "b", "1", ": ", ":", "- ", "\n", "\n  ", "\n    ", "[", "]", "{", "}", ", ", ",", '"', "'", "#", " # c",
    "&x ", "*x", "<<: ", "<<", "|", ">-\n", "|+2", "!", "!!str ", "!!bool ", "!t ", "? ", "?", "é", "😀", "\r\n",
    "\t", "---", "...", "%", "@", "~", "=", "\\", "\x85", "\u2028", "\n---\n", "%YAML 1.1\n", "\ufeff", "\r",
    "\x7f", "\n# c", "\n  # !", "\n- !",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("k: !")
@example("k: |#x")
@example("k: [b:]")
@example("k: {a? b}")
@example("k: <<")
@example("k: !!bool x")
@example("k: 2024-02-31")
@example("&x k: &x 1")
@example("a: &x 1\nb: &x 2")
@example("a: 1\n\ufeffb: 2")
@example("# c\x85!t a: 1")
@example("a: 1\n  # !c ?\nb: 2")
def test_any_text_is_read_as_safe_load_reads_it_or_refused(text):
    read_alike("k: " + text)
    read_alike(text.lstrip("\ufeff"))


# --- Refused ----------------------------------------------------------------------------------------------------

BAD = {
    "a flow that never ends": ("a: [1\n", 2, 1, "is not valid YAML"),
    "a tab for an indent": ("a:\n\tb: 1\n", 2, 1, "cannot start any token"),
    "a tab before a comment, after a plain scalar": ("a: b\n\t# c\nd: 1\n", 2, 1, "cannot start any token"),
    "bad indent": ("a: 1\n b: 2\n", 2, 3, "is not valid YAML"),
    "an unknown alias": ("a:\n  - *x\n", 2, 5, "undefined alias 'x'"),
    "an alias of what is still open": ("a: &x [1, *x]\n", 1, 11, "undefined alias 'x'"),
    "an anchor twice": ("a: &x 1\nb: &x 2\n", 2, 4, "duplicate anchor 'x'"),
    "a duplicate key": ("a: 1\nb:\n  c: 1\n  c: 1\n", 4, 3, "duplicate key 'c'.* line 3"),
    "a duplicate section": ("rlhf: {}\nmodel: {}\nrlhf: {}\n", 3, 1, "duplicate key 'rlhf'.* line 1"),
    "a duplicate key of another spelling": ("1: a\n0x1: b\n", 2, 1, "duplicate key 1"),
    "a duplicate merge key": ("a: &a {}\nb:\n  <<: *a\n  <<: *a\n", 4, 3, "duplicate key '<<'"),
    "a list as a key": ("? [a]\n: 1\n", 1, 3, "key cannot be a list"),
    "a merge of no mapping": ("a:\n  <<: 1\n", 2, 7, "needs a mapping"),
    "a merge key as a value": ("a: <<\n", 1, 4, "only as a key"),
    "several documents": ("a: 1\n---\nb: 1\n", 3, 1, "several YAML documents"),
    "a list as the root": ("\n- a\n", 2, 1, "not a mapping"),
    "a text as the root": ("just words\n", 1, 1, "not a mapping"),
    "a tag of its own": ("a:\n  b: !secret x\n", 2, 6, "'!secret'"),
    "a tag of Python": ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "is not allowed in a preset"),
    "a set": ("a: !!set {b}\n", 1, 4, "is not allowed in a preset"),
    "no such date": ("a: 2024-02-31\n", 1, 4, "is not a valid timestamp"),
    "no such boolean": ("a: !!bool maybe\n", 1, 4, "is not a valid bool"),
    "no UTF-8": (b"a: 1\nb: \xff\n", 2, 4, "is not UTF-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), 1, 1, "is not UTF-8"),
    "a control character": ("a: 1\nbc: \x00\n", 2, 5, "control character"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "line", "column", "message"), BAD.values(), ids=BAD)
def test_bad_text_is_refused_with_its_place(content, line, column, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(FILE, content if isinstance(content, bytes) else content.encode()).data()
    assert caught.value.place[:3] == (FILE, line, column)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1),
        ("".join(f"{'  ' * depth}a:\n" for depth in range(MAX_DEPTH + 1)), MAX_DEPTH + 1),
        ("a: " + "{a: " * 5000, 1),
        ("a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000)), MAX_DEPTH),
        ("a0: &a0 {}\n" + "".join(f"a{n}: &a{n} {{b: *a{n - 1}}}\n" for n in range(1, 2000)), MAX_DEPTH),
    ],
    ids=["flow", "block", "open", "aliases of lists", "aliases of mappings"],
)
def test_deep_nesting_is_refused(text, line):
    with pytest.raises(InputError, match="nested more than") as caught:
        parsed(text).data()
    assert caught.value.place.line == line


def test_nesting_that_is_just_not_too_deep_is_read():
    assert parsed("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH).data()["a"] is not None


@pytest.mark.parametrize(
    "line",
    ["a{0}: &a{0} [{1}]\n", "a{0}: &a{0} {{b: [{1}]}}\n", "a{0}: &a{0} {{<<: [{1}]}}\n"],
    ids=["list", "map", "merge"],
)
def test_expansion_of_aliases_is_bounded(line):
    text = "a0: &a0 {b: 1}\n" + "".join(line.format(n, ", ".join([f"*a{n - 1}"] * 10)) for n in range(1, 12))
    with pytest.raises(InputError, match=f"more than {MAX_NODES} values"):
        parsed(text).data()


def test_file_that_is_too_large_is_refused(tmp_path):
    file = tmp_path / "large.yaml"
    file.write_text("#" * MAX_SIZE)
    assert read(file).data() == {}
    file.write_text("#" * (MAX_SIZE + 1))
    with pytest.raises(InputError, match="is larger than"):
        read(file)


def test_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.yaml")
