"""Edits of YAML text: every reader has the intended data, other lines keep their bytes, no comment is lost."""

import copy
import re
from collections import Counter

import pytest
import yaml
from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from migrate.yamledit import document as edit
from migrate.yamledit.insertion import append
from migrate.yamledit.lookup import find
from migrate.yamledit.scalars import scalar
from schema.errors import InputError
from schema.yamltext import Mapping
from schema.yamltext import Scalar
from schema.yamltext.comments import comments as text_comments
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.edit import at
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.yamledit.yaml_files import apply
from tests.migrate.yamledit.yaml_files import comments
from tests.migrate.yamledit.yaml_files import document
from tests.migrate.yamledit.yaml_files import gone
from tests.migrate.yamledit.yaml_files import texts

SOME = examples(50)
NEW = ("newcomer",)
VALUES = st.sampled_from([None, True, 7, 0.6, 1e-05, "server", "no", "a: b", "# x", ["127.0.0.1"], [8080]])


def read(text):
    """The data of a file's text, types told apart, as every reader has them; they must agree."""
    content = text.encode()
    found = [
        yaml.load(content, yaml.SafeLoader),
        yaml.load(content, yaml.CSafeLoader),
        YAML(typ="safe", pure=True).load(content),
    ]
    assert typed(found[0]) == typed(found[1]) == typed(found[2])
    return found[0]


def typed(value):
    if isinstance(value, dict):
        return sorted((typed(key), typed(item)) for key, item in value.items())
    if isinstance(value, list):
        return ["list", *map(typed, value)]
    return type(value).__name__, repr(value)


def entries(mapping, path=()):
    """Every path to a key of a block mapping, with its entry."""
    for entry in mapping.entries if isinstance(mapping, Mapping) and not mapping.flow else ():
        here = (*path, entry.key.value)
        yield here, entry
        yield from entries(entry.value, here)


def mappings(old):
    """Every path to a block mapping, or to an empty value that can become one."""
    yield ()
    for path, entry in entries(old.root):
        empty = isinstance(entry.value, Scalar) and entry.value.value is None
        nothing = isinstance(entry.value, Mapping) and not entry.value.entries
        if empty or nothing or (isinstance(entry.value, Mapping) and not entry.value.flow):
            yield path


def under(data, path):
    for name in path:
        data = data[name]
    return data


def with_value(data, path, value):
    """The data with a value at a path; what is missing on the way, or null, becomes a mapping."""
    data = here = copy.deepcopy(data)
    for name in path[:-1]:
        if here.get(name) is None:
            here[name] = {}
        here = here[name]
    here[path[-1]] = value
    return data


def without(data, path):
    data = copy.deepcopy(data)
    del under(data, path[:-1])[path[-1]]
    return data


def lines(text):
    """The lines with their endings; one is supposed at the end of a file that has none."""
    newline = "\r\n" if "\r\n" in text else "\n"
    return (text if text.endswith("\n") else text + newline).split("\n")


def are_among(few, many):
    """Whether lines stand in others, in the same order, with the same bytes."""
    rest = iter(many)
    return all(line in rest for line in few)


def whole(old, text):
    return old.bom + text


@st.composite
def edited(draw, /, kind=None, **options):
    """A text, and the path of one of its keys."""
    text = draw(texts(**options))
    root = document(text).root
    paths = [path for path, entry in entries(root) if kind is None or isinstance(entry.value, kind)]
    assume(paths)
    return text, draw(st.sampled_from(paths))


def only(old, path):
    return len(under(old.data(), path[:-1])) == 1


@SOME
@given(texts(hard=True))
def test_documents_of_these_tests_are_read_alike_by_all_readers(text):
    assert isinstance(read(text), dict)
    assert sorted(text_comments(document(text))) == sorted(line.rstrip() for line in comments(text))


@SOME
@given(edited(Scalar), VALUES)
def test_set_changes_the_value_and_nothing_else(case, value):
    old, path = document(case[0]), case[1]
    entry = find(old, path)
    new = edit.set_scalar(old, path, value)
    assert typed(read(whole(old, new))) == typed(with_value(read(old.text), path, value))
    assert comments(new) == comments(old.text)
    before, after = lines(old.text), lines(new)
    first = entry.key.span.line - 1
    last = old.text.count("\n", 0, entry.value.span.end)
    assert after[:first] == before[:first]
    assert after[first + 1 :] == before[max(first, last) + 1 :]


@SOME
@given(edited(Scalar), VALUES)
def test_set_and_set_back_gives_the_same_bytes(case, value):
    old, path = document(case[0]), case[1]
    node = find(old, path).value
    canonical = scalar(node.value, node.style)
    assume(old.text[node.span.start : node.span.end] == canonical)
    assume(isinstance(value, str) if node.style else scalar(value, None)[0] not in "'\"[")
    new = document(whole(old, edit.set_scalar(old, path, value)))
    assert edit.set_scalar(new, path, node.value) == old.text


@SOME
@given(edited())
def test_delete_takes_the_key_and_its_own_comments_only(case):
    old, path = document(case[0]), case[1]
    assume(len(path) > 1 or not only(old, path))
    gone = edit.comments_of(old, path)
    new = edit.delete(old, path)
    assert typed(read(whole(old, new))) == typed(without(read(old.text), path))
    assert Counter(comments(new)) + Counter(gone) == Counter(comments(old.text))
    kept = lines(new)
    if only(old, path):
        parent = find(old, path[:-1]).key.span.line - 1
        assert kept[parent].replace(" {}", "", 1) == lines(old.text)[parent]
        del kept[parent]
    assert are_among(kept, lines(old.text))


@SOME
@given(edited())
def test_insert_after_adds_its_lines_and_delete_takes_them_back(case):
    old, path = document(case[0]), case[1]
    new = edit.insert_after(old, path, ["newcomer: [1]"])
    inserted = (*path[:-1], *NEW)
    assert typed(read(whole(old, new))) == typed(with_value(read(old.text), inserted, [1]))
    assert are_among(lines(old.text), lines(new))
    assert len(lines(new)) == len(lines(old.text)) + 1
    assert edit.delete(document(whole(old, new)), inserted) == old.text


@SOME
@given(st.data())
def test_append_adds_its_lines_and_delete_takes_them_back(data):
    text = data.draw(texts())
    old = document(text)
    path = data.draw(st.sampled_from(list(mappings(old))))
    below = data.draw(st.sampled_from([(), ("extra",), ("extra", "rollout_server")]))
    new = append(old, (*path, *below), ["newcomer: [1]"])
    assert typed(read(whole(old, new))) == typed(with_value(read(old.text), (*path, *below, *NEW), [1]))
    assert comments(new) == comments(old.text)
    if not path or under(old.data(), path):
        assert are_among(lines(old.text), lines(new))
        assert edit.delete(document(whole(old, new)), (*path, *(*below, *NEW)[:1])) == old.text


@SOME
@given(st.data())
def test_move_carries_every_comment_there_and_back(data):
    text, path = data.draw(edited())
    old = document(text)
    assume(len(path) > 1 or not only(old, path))
    places = [place for place in mappings(old) if place[: len(path)] != path]
    to = (*data.draw(st.sampled_from(places)), *data.draw(st.sampled_from([(), ("extra", "block")])), path[-1])
    assume(find(old, to) is None)
    new = apply(old, [Move(path, to, "")])
    value = under(read(old.text), path)
    assert typed(read(whole(new, new.text))) == typed(with_value(without(read(old.text), path), to, value))
    assert comments(new.text) == comments(old.text)
    back = apply(new, [Move(to, path, "")])
    assert typed(under(read(back.text), path)) == typed(value)
    assert comments(back.text) == comments(old.text)


@SOME
@given(st.data())
def test_move_leaves_all_other_lines_alone(data):
    text, path = data.draw(edited())
    old = document(text)
    assume(not only(old, path))
    places = [
        place for place in mappings(old) if place[: len(path)] != path and (not place or under(old.data(), place))
    ]
    to = (*data.draw(st.sampled_from(places)), "extra", path[-1])
    taken = edit.lines_of(old, path).lines
    new = apply(old, [Move(path, to, "")])
    others = edit.delete(old, path)
    assert are_among(lines(others), lines(new.text))
    assert len(lines(new.text)) == len(lines(others)) + len(taken) + 1


EDITS = {
    "set": lambda path: Change(path, "changed", ""),
    "delete": lambda path: Remove(path, ""),
    "insert": lambda path: Add((*path[:-1], f"after {path[-1]}"), 1, "", path[-1]),
}


def test_edits_of_different_keys_commute():
    @SOME
    @given(st.data())
    def check(data):
        text, one = data.draw(edited())
        old = document(text)
        others = [path for path, _ in entries(old.root) if path[: len(one)] != one and one[: len(path)] != path]
        assume(others)
        other = data.draw(st.sampled_from(others))
        kinds = [data.draw(st.sampled_from(list(EDITS))) for _ in range(2)]
        pair = [EDITS[kind](path) for kind, path in zip(kinds, (one, other), strict=True)]
        try:
            there = apply(old, pair)
        except InputError:  # no scalar to set, or nothing would be left
            with pytest.raises(InputError):
                apply(old, pair[::-1])
            showed.append(False)
        else:
            assert there == apply(old, pair[::-1])
            showed.append(True)

    with floor(0.3) as showed:
        check()


def test_beside_block_scalars_edits_are_right_or_refused():
    @SOME
    @given(st.data())
    def check(data):
        text, path = data.draw(edited(hard=True))
        old = document(text)
        to = ("extra", "block", path[-1])
        made = data.draw(
            st.sampled_from([Remove(path, ""), Add((*path[:-1], *NEW), 1, "", path[-1]), Move(path, to, "")])
        )
        intended = copy.deepcopy(read(old.text))
        [placed] = at(old.path, [made])
        placed.on_data({old.path: intended})
        try:
            deleted = gone(old, [made])
            new = apply(old, [made])
        except InputError:  # a block scalar would take in the lines that follow it, or nothing would be left
            assert re.search(r"[^#]: [|>]", old.text) or only(old, path)
            showed.append(False)
            return
        assert typed(read(whole(new, new.text))) == typed(intended)
        assert Counter(comments(new.text)) + Counter(deleted) == Counter(comments(old.text))
        showed.append(True)

    with floor(0.3) as showed:
        check()
