"""Flow mappings in every layout: an edit gives the intended data, loses no other comment, or is refused."""

import copy
from collections import Counter
from pathlib import Path

from hypothesis import assume
from hypothesis import given
from hypothesis import note
from hypothesis import strategies as st

from migrate.yamledit import document as edit
from schema.errors import InputError
from schema.yamltext import parse
from schema.yamltext.comments import comments
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.edit import at
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.yamledit.inverses import source_of
from tests.migrate.yamledit.yaml_files import apply
from tests.migrate.yamledit.yaml_files import gone
from tests.migrate.yamledit.yaml_files import prove

SOME = examples(150)
NAMES = ["a", "b c", '"q"', "'s'", "ü"]
SCALARS = ["1", "1.0e-5", "x y", '"a, b"', "'}'", "null", "[1, {z: 2}]", "", "http://x/#y", "[]", "{}", "*n"]
GAPS = ["", " ", "  ", "\n    ", " # gap\n    "]


@st.composite
def flows(draw, depth=0):
    """The text of a flow mapping."""
    parts = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        value = draw(flows(depth=1)) if depth == 0 and draw(st.booleans()) else draw(st.sampled_from(SCALARS))
        parts.append(f"{name}: {value}")
    before, after = (st.sampled_from(GAPS), st.sampled_from(["", "", " "]))
    text = ",".join(f"{draw(before)}{part}{draw(after)}" for part in parts)
    comma = "," if parts and draw(st.booleans()) else ""
    return f"{{{text}{comma}{draw(before)}}}"


@st.composite
def files(draw):
    """A file with a flow mapping in it."""
    text = f"n: &n 5\nm: {draw(flows())} # end\nlist:\n  - {draw(flows())}\nlast:\n  k: v\n"
    try:
        found = parse(Path("/project/preset.yaml"), text.encode())
        found.data()
    except InputError:
        assume(condition=False)
    return found


def paths(data, path=()):
    """Every path to a key."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in parts:
        if isinstance(data, dict):
            yield (*path, step)
        yield from paths(value, (*path, step))


def test_edits_in_flow_mappings():
    @SOME
    @given(st.data())
    def check(data):
        old = data.draw(files())
        path = data.draw(st.sampled_from(list(paths(old.data()))))
        value = data.draw(st.sampled_from([1, "a, b", "no", None, "}", ""]))
        made = data.draw(
            st.sampled_from(
                [
                    Remove(path, ""),
                    Change(path, value, ""),
                    Add((*path[:-1], "newcomer"), value, "", after=path[-1]),
                    Add((*path[:-1], "newcomer", "deep"), value, ""),
                    Move(path, ("last", "came"), ""),
                    Move(("last", "k"), (*path[:-1], "came"), ""),
                ]
            )
        )
        deleted, new, message = [], old, ""
        try:
            deleted = gone(old, [made])
            new = apply(old, [made])
        except InputError as error:
            message = error.message
        if message:
            assert "cannot be edited safely" in message
            showed.append(False)
            return
        planned = copy.deepcopy(old.data())
        [placed] = at(old.path, [made])
        placed.on_data({old.path: planned})
        assert repr(new.data()) == repr(planned) or new.data() == planned
        assert Counter(comments(new)) + Counter(deleted) == Counter(comments(old))
        note(old.text)
        note(new.text)
        if isinstance(made, Change) and not isinstance(made.value, list):
            assert edit.set_source(new, path, source_of(old, path)) == old.text
        if isinstance(made, Add) and made.after is not None:
            assert edit.delete(new, made.path) == old.text
        showed.append(True)

    with floor(0.3) as showed:
        check()


@SOME
@given(st.data())
def test_entries_that_go_one_after_the_other(data):
    old = data.draw(files())
    names = data.draw(st.permutations(list(old.data()["m"])))
    made = [
        data.draw(st.sampled_from([Remove(("m", name), ""), Move(("m", name), ("last", name), "")]))
        for name in names[: data.draw(st.integers(0, len(names)))]
    ]
    note(old.text)
    new, message = old, ""
    try:
        new = apply(old, made)
    except InputError as error:
        message = error.message
    if message:
        assert "cannot be edited safely" in message
    else:
        note(new.text)
        prove(old, new, made)
