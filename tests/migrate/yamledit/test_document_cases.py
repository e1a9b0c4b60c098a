"""Edits in flow mappings and list items, at the end of files, beside comments: the text before and after."""

from pathlib import Path

import pytest

from migrate.yamledit import document as edit
from schema.errors import InputError
from schema.yamltext import parse
from schema.yamltext.edit import Add
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from tests.migrate.yamledit.inverses import insert_before
from tests.migrate.yamledit.inverses import source_of
from tests.migrate.yamledit.yaml_files import apply
from tests.migrate.yamledit.yaml_files import prove


def document(text):
    return parse(Path("/project/preset.yaml"), text.encode())


DELETED = {
    "flow, first": ("x: {a: 1, b: 2}\n", ("x", "a"), "x: {b: 2}\n"),
    "flow, last": ("x: { a: 1, b: 2 } # c\n", ("x", "b"), "x: { a: 1 } # c\n"),
    "flow, only": ("x: {a: 1}\n", ("x", "a"), "x: {}\n"),
    "flow, trailing comma": ("x: {a: 1, b: 2,}\n", ("x", "b"), "x: {a: 1,}\n"),
    "flow, only, trailing comma": ("x: {a: 1,\n  }\n", ("x", "a"), "x: {\n  }\n"),
    "flow, last on a shared line, trailing comma": ("x: {a: 1,\n  b: 2, }\n", ("x", "b"), "x: {a: 1,\n   }\n"),
    "flow, behind an empty value": ("x: {a: , b: 2}\n", ("x", "b"), "x: {a: }\n"),
    "flow, nested": ("x: [{a: 1, b: {c: 2, d: 3}}]\n", ("x", 0, "b", "c"), "x: [{a: 1, b: {d: 3}}]\n"),
    "flow, a key alone": ("x: {a, b: 2}\n", ("x", "a"), "x: {b: 2}\n"),
    "flow, root": ("{a: 1, b: 2}\n", ("a",), "{b: 2}\n"),
    "flow, own lines": (
        "x: {\n  a: 1,\n  # of b\n  b: 2,  # too\n  c: 3\n}\n",
        ("x", "b"),
        "x: {\n  a: 1,\n  c: 3\n}\n",
    ),
    "flow, last of own lines": ("x: {\n  a: 1,  # a\n  b: 2  # b\n}\n", ("x", "b"), "x: {\n  a: 1  # a\n}\n"),
    "flow, shared lines": ("x: {a: 1,\n    b: 2}\n", ("x", "a"), "x: {\n    b: 2}\n"),
    "flow, comment stays on a shared line": (
        "x: {a: 1, b: 2, # both\n    c: 3}\n",
        ("x", "b"),
        "x: {a: 1, # both\n    c: 3}\n",
    ),
    "flow, last on a line of its own with the brace": ("x: {a: 1,\n    b: 2}\n", ("x", "b"), "x: {a: 1,\n    }\n"),
    "item, first": ("- a: 1 # c\n  b: 2\n", (0, "a"), None),
    "item, key behind the dash": ("x:\n  - a: 1 # c\n    b: 2\n", ("x", 0, "a"), "x:\n  - b: 2\n"),
    "item, comment above the next key": (
        "x:\n- a: 1\n  # of b\n  b: 2\n",
        ("x", 0, "a"),
        "x:\n-\n  # of b\n  b: 2\n",
    ),
    "item, only key": ("x:\n- a: 1  # c\n- b: 2\n", ("x", 0, "a"), "x:\n- {}\n- b: 2\n"),
    "item, its comments stay": (
        "x:\n# of the item\n- a: 1\n  b: 2\n# of the next\n- c: 3\n",
        ("x", 0, "b"),
        "x:\n# of the item\n- a: 1\n# of the next\n- c: 3\n",
    ),
    "only key, of a mapping with a comment": ("x: # c\n  a: 1\ny: 2\n", ("x", "a"), "x: {} # c\ny: 2\n"),
    "only key, of a mapping with an anchor": ("x: &n\n  a: 1\ny: *n\nz: 1\n", ("y",), "x: &n\n  a: 1\nz: 1\n"),
    "only key, CRLF": ("x:\r\n  a: 1\r\n", ("x", "a"), "x: {}\r\n"),
    "comment indented less": ("x:\n  a: 1\n# of b\n  b: 2\n  c: 3\n", ("x", "b"), "x:\n  a: 1\n  c: 3\n"),
    "comment below, indented more": ("a: 1  # one\n       # two\nb: 2\n", ("a",), "b: 2\n"),
    "comment above, indented more": ("a: 1\n   # of a\nb: 2\nc: 3\n", ("b",), "a: 1\n   # of a\nc: 3\n"),
    "section header": ("# header\n\n# of a\na: 1\nb: 2\n", ("a",), "# header\n\nb: 2\n"),
    "head of the file": ("# Copyright me\n# more\na: 1\nb: 2\n", ("a",), "# Copyright me\n# more\nb: 2\n"),
    "quoted text like a comment": ('a: "x\n  # y"\nb: 2\nc: 3\n', ("b",), 'a: "x\n  # y"\nc: 3\n'),
    "a key that is a number": ("7: a\ntrue: b\n2.5: c\n", (True,), "7: a\n2.5: c\n"),
    "wide characters": ("名前: 🎉 # 注\n🎉: {ü: 1, é: 2}\n", ("🎉", "ü"), "名前: 🎉 # 注\n🎉: {é: 2}\n"),
    "behind a block scalar, no final newline": ("a: |\n  x\nb: 1", ("b",), "a: |\n  x\n"),
    "behind a blank line, no final newline": ("a: 1\n\nb: 1", ("b",), "a: 1\n\n"),
}


@pytest.mark.parametrize(("text", "path", "after"), DELETED.values(), ids=DELETED)
def test_delete(text, path, after):
    if after is None:
        with pytest.raises(InputError, match="root is not a mapping"):
            document(text)
        return
    assert apply(document(text), [Remove(path, "")]).text == after


SET = {
    "flow": ("x: {a: 1, b: 2}\n", ("x", "a"), "a, b", 'x: {a: "a, b", b: 2}\n'),
    "flow, empty": ("x: {a: , b: 2}\n", ("x", "a"), 5, "x: {a: 5 , b: 2}\n"),
    "item": ("x: [1, 2]\n", ("x", 1), 5, "x: [1, 5]\n"),
    "empty item": ("x:\n-\n- 2\n", ("x", 0), 5, "x:\n- 5\n- 2\n"),
    "empty, with a comment": ("x:  # c\n", ("x",), 5, "x: 5  # c\n"),
    "block scalar": ("x: |\n  one\n  two\n\ny: 1\n", ("x",), "one", "x: one\n\ny: 1\n"),
    "block scalar at the end": ("x: |\n  one", ("x",), 7, "x: 7"),
    "folded over lines": ("x: one\n  two\ny: 1\n", ("x",), 7, "x: 7\ny: 1\n"),
    "no": ("x: 'a'\n", ("x",), "no", "x: 'no'\n"),
}


@pytest.mark.parametrize(("text", "path", "value", "after"), SET.values(), ids=SET)
def test_set_and_back(text, path, value, after):
    old = document(text)
    new = edit.set_scalar(old, path, value)
    assert new == after
    assert edit.set_source(document(new), path, source_of(old, path)) == text


ADDED = {
    "flow": ("x: {a: 1}\n", ("x", "b"), "x: {a: 1, b: 5}\n"),
    "flow, padded": ("x: { a: 1 }\n", ("x", "b"), "x: { a: 1, b: 5 }\n"),
    "flow, behind an empty value": ("x: {a: }\n", ("x", "b"), "x: {a: , b: 5}\n"),
    "flow, below": ("x: {a: 1}\n", ("x", "b", "c"), "x: {a: 1, b: {c: 5}}\n"),
    "flow, own lines": ("x: {\n  a: 1  # c\n}\n", ("x", "b"), "x: {\n  a: 1,  # c\n  b: 5\n}\n"),
    "flow, own lines, comma": ("x: {\n  a: 1,  # c\n}\n", ("x", "b"), "x: {\n  a: 1,  # c\n  b: 5,\n}\n"),
    "flow, empty inside": ("x: {a: {}}\n", ("x", "a", "b"), "x: {a: {b: 5}}\n"),
    "flow, null inside": ("x: {a: null}\n", ("x", "a", "b"), "x: {a: {b: 5}}\n"),
    "root": ("{}\n", ("b",), "{b: 5}\n"),
    "item": ("x:\n- a: 1\n- c\n", ("x", 0, "b"), "x:\n- a: 1\n  b: 5\n- c\n"),
    "empty item": ("x:\n- {}\n", ("x", 0, "b"), "x:\n- b: 5\n"),
    "item without anything": ("x:\n-\n- 1\n", ("x", 0, "b"), "x:\n- b: 5\n- 1\n"),
    "behind an open block scalar": ("a: |\n  x", ("b",), "a: |-\n  x\nb: 5"),
    "behind an open block scalar that keeps": ("a: &n |2+ # c\n   x", ("b",), "a: &n |2- # c\n   x\nb: 5"),
}


@pytest.mark.parametrize(("text", "path", "after"), ADDED.values(), ids=ADDED)
def test_add(text, path, after):
    assert apply(document(text), [Add(path, 5, "")]).text == after


@pytest.mark.parametrize("value", [{"image": 5, "on": [1, {"no": None}]}, [{"a": 1}, "b"], [1, 2]])
@pytest.mark.parametrize("text", ["x: null  # c\n", "x:\n", "a: {x: ~}\n"])
def test_a_collection_in_the_place_of_null(text, value):
    path = ("a", "x") if text.startswith("a") else ("x",)
    made = Add(path, value, "")
    new = apply(document(text), [made])
    prove(document(text), new, [made])


MOVED = {
    "out of flow": ('x: {"a":1, b: 2}\ny:\n  c: 3\n', ("x", "a"), ("y", "a"), 'x: {b: 2}\ny:\n  c: 3\n  "a": 1\n'),
    "out of flow, own lines": (
        "x: {\n  # of a\n  a: 1,  # too\n  b: 2\n}\ny:\n  c: 3\n",
        ("x", "a"),
        ("y", "a"),
        "x: {\n  b: 2\n}\ny:\n  c: 3\n  # of a\n  a: 1  # too\n",
    ),
    "into flow": ("a: 1\nx: {b: 2}\n", ("a",), ("x", "a"), "x: {b: 2, a: 1}\n"),
    "out of an item": (
        "x:\n- a: [1,\n     2] # c\n  b: 2\n",
        ("x", 0, "a"),
        ("a",),
        "x:\n- b: 2\na: [1,\n   2] # c\n",
    ),
    "a block scalar to the end": ("a: |\n  t\nx:\n  b: 1", ("a",), ("x", "a"), "x:\n  b: 1\n  a: |\n    t\n"),
    "an open block scalar": ("x:\n  b: 1\na: |\n  t", ("a",), ("x", "a"), "x:\n  b: 1\n  a: |-\n    t"),
}


@pytest.mark.parametrize(("text", "path", "to", "after"), MOVED.values(), ids=MOVED)
def test_move(text, path, to, after):
    assert apply(document(text), [Move(path, to, "")]).text == after


REFUSED = {
    "through an alias": ("a: &x {b: 1}\nc: *x\n", Remove(("c", "b"), ""), "through the alias"),
    "through a merge key": ("a: &x {b: 1}\nc: {<<: *x, d: 1}\n", Remove(("c", "b"), ""), "merge key"),
    "shared": ("a: &x {b: 1, d: 2}\nc: *x\n", Remove(("a", "b"), ""), "read differently"),
    "twice": ("a: 1\na: 2\nb: 3\n", Remove(("a",), ""), "duplicate key|is there twice"),
    "only key of the file": ("a: 1\n", Remove(("a",), ""), "only key of the file"),
    "question mark": ("? a\n: 1\nb: 2\n", Remove(("a",), ""), "another token"),
    "question mark in flow": ("x: {? a : 1, b: 2}\n", Remove(("x", "a"), ""), "question mark"),
    "a pair in a list": ("x: [a: 1]\n", Remove(("x", 0, "a"), ""), "without its own braces"),  # type: ignore[arg-type]
    "comma on the next line": ("x: {a: 1\n  , b: 2}\n", Remove(("x", "a"), ""), "comma"),
    "a comment into flow": ("a: 1 # c\nx: {b: 2}\n", Move(("a",), ("x", "a"), ""), "which cannot hold it"),
    "plain text into flow": ("a: 1, 2\nx: {b: 2}\n", Move(("a",), ("x", "a"), ""), "which cannot hold it"),
    "anchor that is used": ("a: &x 1\nb: *x\nc: 1\n", Remove(("a",), ""), "undefined alias"),
    "blank lines that would be kept": ("a: |+\n  x\nb: 1\n\nc: 2\n", Remove(("b",), ""), "read differently"),
}


@pytest.mark.parametrize(("text", "made", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_place_and_reason(text, made, reason):
    with pytest.raises(InputError, match=reason) as caught:
        apply(document(text), [made])
    assert caught.value.place is not None


def test_a_tab_before_a_comment_is_no_yaml_to_pyyaml():
    with pytest.raises(InputError, match="cannot start any token"):
        document("a: 1\t# c\nb: 2\n")


def test_insert_before_goes_above_the_comments_of_a_key():
    old = document("a: 1\n# of b\nb: 2\n")
    assert insert_before(old, ("b",), ["c: 3"]) == "a: 1\nc: 3\n# of b\nb: 2\n"
    assert insert_before(document("x:\n- a: 1\n"), ("x", 0, "a"), ["b: 2", "", "c: 3"]) == (
        "x:\n- b: 2\n\n  c: 3\n  a: 1\n"
    )
    assert edit.insert_after(document("x: {a: 1}\n"), ("x", "a"), ["b: 2"]) == "x: {a: 1, b: 2}\n"
