"""Which lines belong to a key: those that go when it goes, and travel when it moves.

What a block says is the matter of test_comment_claims.py; here it is where the lines stand.
"""

import pytest

from migrate.yamledit import document as edit
from migrate.yamledit.insertion import append
from migrate.yamledit.regions import lines
from schema.errors import InputError
from schema.yamltext.comments import comments
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune
from schema.yamltext.edit import Remove
from tests.migrate.yamledit.yaml_files import apply
from tests.migrate.yamledit.yaml_files import document
from tests.migrate.yamledit.yaml_files import edited
from tests.migrate.yamledit.yaml_files import prove

#: In each text the lines of `rlhf.key` are marked with `>`.
OWNED = {
    "a line": """
      rlhf:
    >   key: 1
        next: 2
    """,
    "the comments directly above it, at its own column": """
      rlhf:
        # of the section

    >   # of the key
    >   # in two lines
    >   key: 1
    """,
    "no comment at another column": """
      rlhf:
      # of the section
          # of nothing
    >   key: 1
        next: 2
    """,
    "no banner that a blank line parts from it": """
      rlhf:
        # --- vLLM ---

    >   key: 1
        next: 2
    """,
    "the comment behind its value, and what goes on below it": """
      rlhf:
    >   key: 1      # of the key,
    >               # in two lines
        # of the next
        next: 2
    """,
    "comments that are deeper than it, over blank lines": """
      rlhf:
    >   key:
    >     a: 1
    >
    >     # b: 2
        # of the section
        next: 2
    """,
    "nothing of the section that follows": """
      rlhf:
        first: 1
    >   key:
    >     a: 1

      # of the next section
      next: 2
    """,
    "its list, however it is indented": """
      rlhf:
    >   key:
    >   - 1
    >   # between
    >   - 2   # the last
        # of the next
        next: 2
    """,
    "its flow value to the last bracket": """
      rlhf:
    >   key: {
    >     a: 1,   # one
    >     # two
    >   }         # end
        next: 2
    """,
    "its block scalar without the blank lines behind": """
      rlhf:
    >   key: |    # header
    >     text
    >
    >     # text

        next: 2
    """,
    "its block scalar with the blank lines that it keeps": """
      rlhf:
    >   key: |+
    >     text
    >
        next: 2
    """,
    "its text over several lines": """
      rlhf:
    >   key: "one
    >     # two"
        next: 2
    """,
    "the value on the line below": """
      rlhf:
    >   key:
    >     1
        next: 2
    """,
    "the comments below a key without a value": """
      rlhf:
    >   key:
    >     # a: 1
        next: 2
    """,
    "quoted, with a space before the colon": """
      rlhf:
    >   "key" : 1
        next: 2
    """,
}


def unmarked(marked, newline="\n"):
    """The text, the marked lines of it, and the others."""
    rows = marked.strip("\n").split("\n")[:-1]
    text = [line[6:] for line in rows]
    owned = [line[6:] for line in rows if line[4:5] == ">"]
    others = [line[6:] for line in rows if line[4:5] != ">"]
    return tuple(newline.join([*part, ""]) for part in (text, owned, others))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("marked", OWNED.values(), ids=OWNED)
def test_owned_lines(marked, newline):
    text, owned, _ = unmarked(marked, newline)
    assert "".join(edit.lines_of(document(text), ("rlhf", "key")).lines) == owned


@pytest.mark.parametrize("marked", OWNED.values(), ids=OWNED)
def test_delete_leaves_the_others(marked):
    text, _, others = unmarked(marked)
    if "\n  next:" in others or "\n  first:" in others:
        assert edit.delete(document(text), ("rlhf", "key")) == others
    else:
        assert edit.delete(document(text), ("rlhf", "key")) == others.replace("rlhf:", "rlhf: {}")


#: Texts of a mapping `m` whose key leaves, and what is left of it when the key goes, and when it moves.
LEFT = {
    "what is about the next key stays above it": (
        "m:\n  # other_key comes next\n  key: 1   # end\n  other_key: 2\n",
        "m:\n  # other_key comes next\n  other_key: 2\n",
        "m:\n  # other_key comes next\n  other_key: 2\n",
    ),
    "what speaks of nothing stays above the next key when its own goes": (
        "m:\n  # prose\n  key: 1\n  next: 2\n",
        "m:\n  # prose\n  next: 2\n",
        "m:\n  next: 2\n",
    ),
    "below the last one that is left": (
        "m:\n  first: 2\n  # prose\n  key: 1\n\nnext: 3\n",
        "m:\n  first: 2\n  # prose\n\nnext: 3\n",
        "m:\n  first: 2\n\nnext: 3\n",
    ),
    "below the emptied mapping": (
        "m:   # why\n  # other_key: 1\n  key: 1\nnext: 3\n",
        "m: {}   # why\n  # other_key: 1\nnext: 3\n",
        "m: {}   # why\n  # other_key: 1\nnext: 3\n",
    ),
    "at the end of the file": (
        "m:\n  first: |\n    text\n  # other_key: 1\n  key: 1",
        "m:\n  first: |\n    text\n  # other_key: 1",
        "m:\n  first: |\n    text\n  # other_key: 1",
    ),
    "further to the left": (
        "m:\n# other_key: 1\n  key: 1\n  next: 2\n",
        "m:\n# other_key: 1\n  next: 2\n",
        "m:\n# other_key: 1\n  next: 2\n",
    ),
    "between braces": (
        "m: {\n  # other_key comes last\n  key: 1,   # end\n  other_key: 2\n}\n",
        "m: {\n  # other_key comes last\n  other_key: 2\n}\n",
        "m: {\n  # other_key comes last\n  other_key: 2\n}\n",
    ),
    "above the brace": (
        "m: {\n  first: 2,\n  # other_key: 1\n  key: 1\n}\n",
        "m: {\n  first: 2\n  # other_key: 1\n}\n",
        "m: {\n  first: 2\n  # other_key: 1\n}\n",
    ),
    "without the silencer of its line": (
        "m:\n  # other_key next\n  # rollout-split: ignore[rule] why\n  key: 1\n  other_key: 2\n",
        "m:\n  # other_key next\n  other_key: 2\n",
        "m:\n  # other_key next\n  other_key: 2\n",
    ),
    "with line ends of Windows": (
        "m:\r\n  # other_key: 1\r\n  key: 1\r\n  next: 2\r\n",
        "m:\r\n  # other_key: 1\r\n  next: 2\r\n",
        "m:\r\n  # other_key: 1\r\n  next: 2\r\n",
    ),
}


@pytest.mark.parametrize(("text", "gone", "moved"), LEFT.values(), ids=LEFT)
def test_what_is_not_the_key_s_stays_where_it_is(text, gone, moved):
    old, path = document(text), ("m", "key")
    assert apply(old, [Remove(path, "")]).text == gone
    assert edit.delete(old, path) == moved
    for made in (Remove(path, ""), Move(path, ("new", "key"), "")):
        prove(old, apply(old, [made]), [made])


def test_comments_that_stayed_are_not_taken_for_the_next_key_s():
    # Edit by edit the block would come to stand above the next key, and leave with that one.
    text = "m:\n  # prose\n  a: 1\n  b: 2\n  c: 3\nto: {}\n"
    edits = [Remove(("m", "a"), ""), Move(("m", "b"), ("to", "b"), "")]
    assert apply(document(text), edits).text == "m:\n  # prose\n  c: 3\nto:\n  b: 2\n"
    steps = edited(document(text), edits).steps
    assert [(step.comments, step.stayed) for step in steps] == [((), ("# prose",)), ((), ())]


def test_what_cannot_stay_in_an_emptied_mapping_moves_with_the_key():
    text = "m:\n  # vllm_b is next\n  a: 1\n  vllm_b: 2\nto:\n  z: 1\n"
    edits = [Move(("m", "a"), ("to", "a"), ""), Remove(("m", "vllm_b"), ""), Prune(("m",), "")]
    assert apply(document(text), edits).text == "to:\n  z: 1\n  # vllm_b is next\n  a: 1\n"
    assert [step.stayed for step in edited(document(text), edits).steps] == [(), (), ()]


@pytest.mark.parametrize("blank", ["       \n", "       \n\n       \n"])
def test_blank_lines_that_are_deeper_than_a_block_scalar_are_part_of_it(blank):
    key = f"  key: |\n    text\n{blank}"
    text = f"rlhf:\n{key}    \n\n  next: 1\n"
    assert "".join(edit.lines_of(document(text), ("rlhf", "key")).lines) == key


def test_lines_end_in_newlines_only():
    assert lines("a\x0cb\u2028\r\nc\x85") == ["a\x0cb\u2028\r\n", "c\x85"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rlhf:  # why\n  key: 1\nnext: 2\n", "rlhf: {}  # why\nnext: 2\n"),
        ("rlhf:\n  # of nothing\n\n  key: 1\n", "rlhf: {}\n  # of nothing\n\n"),
        ("rlhf:\r\n  key: 1", "rlhf: {}"),
        ('"rlhf" :\n  key: 1\n', '"rlhf" : {}\n'),
    ],
)
def test_a_mapping_that_loses_its_only_key_stays_a_mapping(text, left):
    # Null would hide what a base says in this section.
    assert edit.delete(document(text), ("rlhf", "key")) == left


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("key: 1\n", "it is the only key of the file"),
        ("? key\n: 1\nnext: 2\n", "another token is before this key on its line"),
        ("--- !!map\nkey: 1\n# all\n", "it is the only key of the file"),
    ],
)
def test_delete_refuses_what_it_cannot_cut_out(text, reason):
    with pytest.raises(InputError, match=reason):
        edit.delete(document(text), ("key",))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("custom:\nnext: 1\n", "custom:\n  key: 1\nnext: 1\n"),
        ("custom:", "custom:\n  key: 1"),
        ("custom: {}", "custom:\n  key: 1"),
        ("custom: null # why", "custom: # why\n  key: 1"),
        ("custom: null\n", "custom:\n  key: 1\n"),
        ("custom: ~   # why\n", "custom:   # why\n  key: 1\n"),
        ("custom: {}\nnext: 1\n", "custom:\n  key: 1\nnext: 1\n"),
        (
            "custom:\n  # why\n\n  # a: 1\n\n# next\nnext: 1\n",
            "custom:\n  # why\n\n  # a: 1\n  key: 1\n\n# next\nnext: 1\n",
        ),
        ("rlhf:\n    a: 1\ncustom:\n", "rlhf:\n    a: 1\ncustom:\n    key: 1\n"),
        ("custom:\r\nnext: 1\r\n", "custom:\r\n  key: 1\r\nnext: 1\r\n"),
    ],
)
def test_an_empty_value_is_filled_below_its_key(text, filled):
    assert append(document(text), ("custom",), ["key: 1"]) == filled


@pytest.mark.parametrize("text", ["# nothing yet\n", "", "# nothing yet", "---\n"])
def test_a_file_without_any_key_gets_its_first(text):
    newline = "\n" if text and not text.endswith("\n") else ""
    expected = f"{text}{newline}a:\n  b: 1" + ("" if newline else "\n")
    assert append(document(text), ("a",), ["b: 1"]) == expected


def test_comments_in_strange_places_are_found():
    text = 'a: "# no"#one\nb: {x: [1]}#two\nc: | # three\n  # no\nd: &e  # four\n  f: !!str g#no\n#five\n'
    assert comments(document(text)) == ["#one", "#two", "# three", "# four", "#five"]
