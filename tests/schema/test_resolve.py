"""`extends`: what is merged, in which order, what a value remembers of where it was set, and what is refused."""

import pytest

from schema.check import load
from schema.errors import InputError
from schema.resolve import Workspace
from schema.resolve.extends import MAX_FILES
from schema.resolve.graph import graph
from schema.resolve.tree import data
from schema.yamltext import parse


@pytest.fixture
def resolved(root, write):
    """Resolves the last of some files, given as name and text."""

    def resolved(**files: str):
        for name, text in files.items():
            last = write(f"{name}.yaml", text)
        return load(Workspace(), last).resolved

    return resolved


def plain(resolution):
    return data(resolution.tree)


@pytest.mark.parametrize("extends", ["base.yaml", "./base.yaml", "[base.yaml]", "['../NAME/base.yaml']"])
def test_base_is_named_by_a_path_or_a_list_relative_to_the_file(resolved, root, extends):
    found = resolved(base="model: {a: 1}", leaf=f"extends: {extends.replace('NAME', root.name)}\nmodel: {{b: 2}}")
    assert plain(found) == {"model": {"a": 1, "b": 2}}
    assert found.files == (root / "base.yaml", root / "leaf.yaml")


def test_absolute_path_is_taken(resolved, root):
    assert plain(resolved(base="data: {a: 1}", leaf=f"extends: {root}/base.yaml")) == {"data": {"a": 1}}


@pytest.mark.parametrize("extends", ["", "extends:", "extends: []", "extends: null"])
def test_file_may_extend_nothing(resolved, extends):
    assert plain(resolved(leaf=f"{extends}\nmodel: {{a: 1}}")) == {"model": {"a": 1}}


def test_bases_merge_in_order_and_the_file_itself_last(resolved):
    found = resolved(
        one="data: {a: 1, b: 1, c: 1}",
        two="data: {b: 2, c: 2}",
        leaf="extends: [one.yaml, two.yaml]\ndata: {c: 3}",
    )
    assert plain(found) == {"data": {"a": 1, "b": 2, "c": 3}}
    assert [file.stem for file in found.files] == ["one", "two", "leaf"]


@pytest.mark.parametrize(
    ("base", "leaf", "merged"),
    [
        ("{x: {y: {a: 1, b: 1}}}", "{x: {y: {b: 2}}}", {"x": {"y": {"a": 1, "b": 2}}}),
        ("{x: [1, 2, 3]}", "{x: [4]}", {"x": [4]}),
        ("{x: [{a: 1}]}", "{x: [{b: 2}]}", {"x": [{"b": 2}]}),
        ("{x: [1]}", "{x: []}", {"x": []}),
        ("{x: {a: 1}}", "{x: {}}", {"x": {"a": 1}}),
        ("{x: {a: 1}}", "{x: 1}", {"x": 1}),
        ("{x: 1}", "{x: {a: 1}}", {"x": {"a": 1}}),
        ("{x: {a: 1}}", "{x: null}", {"x": None}),
        ("{x: null}", "{x: {a: 1}}", {"x": {"a": 1}}),
        ("{1: a}", "{'1': b}", {1: "a", "1": "b"}),
    ],
)
def test_mappings_merge_deeply_lists_and_scalars_replace(resolved, base, leaf, merged):
    assert plain(resolved(base=f"custom: {base}", leaf=f"extends: base.yaml\ncustom: {leaf}")) == {
        "custom": merged
    }


def test_null_overrides_and_then_counts_as_unset(resolved):
    tree = resolved(base="rlhf: {a: 1, b: {c: 1}}", leaf="extends: base.yaml\nrlhf: {a: null, b: null}").tree
    assert tree.find("rlhf", "a") is None
    assert tree.leaf("rlhf", "a") is None
    assert tree.value("rlhf", "a", default="unset") == "unset"
    assert tree.find("rlhf", "b", "c") is None


def test_value_knows_the_file_line_and_column_that_set_it(resolved, root):
    found = resolved(
        top="""\
            # Comment.
            rlhf:
              deep: {a: 1,
                     b: 1}
              list:
                - 1
            """,
        middle="""\
            extends: top.yaml
            rlhf:
              deep:
                b:   2
            """,
        leaf="""\
            extends: [middle.yaml]
            model: {c: 3}
            """,
    )
    where = {
        path: (place.file.stem, place.line, place.column)
        for path in [
            ("rlhf", "deep", "a"),
            ("rlhf", "deep", "b"),
            ("rlhf", "list"),
            ("model", "c"),
            ("rlhf", "deep"),
        ]
        for place in [found.tree.find(*path).place]
    }
    assert where == {
        ("rlhf", "deep", "a"): ("top", 3, 13),
        ("rlhf", "deep", "b"): ("middle", 4, 10),
        ("rlhf", "list"): ("top", 6, 5),
        ("model", "c"): ("leaf", 2, 12),
        ("rlhf", "deep"): ("middle", 4, 5),
    }
    assert found.tree.find("rlhf", "deep", "b").key[1:] == (4, 5, 4, 6)


def test_place_of_an_alias_is_where_it_stands_and_of_a_merged_key_where_it_is_written(resolved):
    tree = resolved(leaf="custom:\n  a: &x {b: 1}\n  c: *x\n  d:\n    <<: *x\n").tree
    assert tree.find("custom", "c").place[1:] == (3, 6, 3, 8)
    assert tree.find("custom", "d", "b").place[1:] == (2, 13, 2, 14)


def test_diamond_reads_its_base_once(resolved):
    found = resolved(
        base="data: {a: 0, b: 0, c: 0}",
        left="extends: base.yaml\ndata: {a: 1}",
        right="extends: base.yaml\ndata: {b: 2}",
        leaf="extends: [left.yaml, right.yaml]",
    )
    assert [file.stem for file in found.files] == ["base", "left", "right", "leaf"]
    # right is merged whole, with what it inherits, as bases of a list always are.
    assert plain(found) == {"data": {"a": 0, "b": 2, "c": 0}}


def test_diamonds_over_diamonds_are_no_more_work_than_their_files(resolved):
    files = {"l0": "data: {n0: 0}", "r0": "data: {m0: 0}"}
    for n in range(1, 40):
        for side in "lr":
            files[f"{side}{n}"] = f"extends: [l{n - 1}.yaml, r{n - 1}.yaml]\ndata: {{{side}{n}: 1}}"
    assert len(resolved(**files).files) == 79


def chain(length):
    return {"f0": "data: {a: 1}"} | {f"f{n}": f"extends: f{n - 1}.yaml" for n in range(1, length)}


def star(length):
    bases = {f"f{n}": f"data: {{a{n}: 1}}" for n in range(length - 1)}
    return bases | {"leaf": f"extends: [{', '.join(f'{name}.yaml' for name in bases)}]"}


@pytest.mark.parametrize("shape", [chain, star])
def test_number_of_files_is_bounded(resolved, shape):
    assert len(resolved(**shape(MAX_FILES)).files) == MAX_FILES
    with pytest.raises(InputError, match=f"more than {MAX_FILES} files"):
        resolved(**shape(MAX_FILES + 1))


def test_endless_chain_is_refused_and_does_not_exhaust_the_stack(resolved):
    with pytest.raises(InputError, match=f"more than {MAX_FILES} files"):
        resolved(**chain(600))


@pytest.mark.parametrize(
    ("files", "message", "place"),
    [
        ({"a": "extends: a.yaml"}, "circle: a.yaml -> a.yaml$", ("a", 1, 10)),
        (
            {"c": "extends: a.yaml", "b": "x: 1\nextends:\n  - c.yaml", "a": "extends: b.yaml"},
            "circle: a.yaml -> b.yaml -> c.yaml -> a.yaml$",
            ("c", 1, 10),
        ),
        (
            {"b": "extends: ./b.yaml", "a": "extends: b.yaml"},
            "circle: b.yaml -> b.yaml$",
            ("b", 1, 10),
        ),
        ({"a": "model: {}\nextends: none.yaml"}, "extends .*/none.yaml, which does not exist", ("a", 2, 10)),
        ({"a": "extends: ."}, "which does not exist", ("a", 1, 10)),
        ({"a": "extends: ../a.yaml"}, "outside the project root", ("a", 1, 10)),
        ({"a": "extends: /etc/passwd"}, "outside the project root", ("a", 1, 10)),
        ({"a": "extends: {b: 1}"}, "takes a path, or a list of paths", ("a", 1, 10)),
        ({"a": "extends: 5"}, "takes a path, or a list of paths", ("a", 1, 10)),
        ({"a": "extends: ''"}, "takes a path, or a list of paths", ("a", 1, 10)),
        ({"a": "extends: [b.yaml, 5]"}, "takes a path, or a list of paths", ("a", 1, 10)),
        ({"a": "model: {}\ninherit: b.yaml"}, "`inherit` .* did you mean `extends`", ("a", 2, 1)),
        ({"b": "inherit: c.yaml", "a": "extends: b.yaml"}, "`inherit`", ("b", 1, 1)),
        ({"b": "a: [", "a": "extends: b.yaml"}, "is not valid YAML", ("b", 2, 1)),
        ({"b": "- a", "a": "extends: b.yaml"}, "not a mapping", ("b", 1, 1)),
        ({"b": "c: 1\nc: 1", "a": "extends: b.yaml"}, "duplicate key", ("b", 2, 1)),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_its_place(resolved, root, files, message, place):
    with pytest.raises(InputError, match=message) as caught:
        resolved(**{name: text + "\n" for name, text in files.items()})
    assert caught.value.place[:3] == (root / f"{place[0]}.yaml", *place[1:])


def test_name_that_no_file_system_takes_is_refused(resolved):
    with pytest.raises(InputError, match="cannot be read: file name too long"):
        resolved(a=f"extends: {'x' * 300}.yaml")


def test_without_a_project_root_a_base_may_lie_anywhere(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "base.yaml").write_text("model: {a: 1}")
    leaf = tmp_path / "below" / "leaf.yaml"
    leaf.write_text("extends: ../base.yaml")
    preset = load(Workspace(), leaf)
    assert (preset.project.root, preset.value("a")) == (None, 1)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("rollout-gpus = 0", "rollout-gpus: .*greater than or equal to 1"),
        ("train-gpus = '2'", "train-gpus: .*valid integer"),
        ("gpu = 8", "gpu: extra inputs"),
        ("gpus = 0", "gpus: .*greater than or equal to 1"),
        ("gpus = 8\nrollout-gpus = 8", "gpus is 8, which rollout-gpus 8 contradict"),
        ("gpus = 8\ntrain-gpus = 9", "gpus is 8, which train-gpus 9 contradict"),
        ("gpus = 8\nrollout-gpus = 4\ntrain-gpus = 2", "gpus is 8, which rollout-gpus 4 and train-gpus 2 contr"),
        ("repository-keys = {training = 'a'}", "repository-keys.training: .*valid list"),
        ("rollout-gpus = ", "cannot be read"),
        ("x = '\xff'".encode("latin-1"), "cannot be read"),
    ],
)
def test_project_table_that_says_something_else_is_refused(write, table, message):
    table = table if isinstance(table, bytes) else table.encode()
    pyproject = write("pyproject.toml", b"[tool.rollout-split]\n" + table)
    with pytest.raises(InputError, match=message) as caught:
        load(Workspace(), write("preset.yaml", "model: {}"))
    assert caught.value.place.file == pyproject


def test_text_that_is_not_written_yet_counts_instead_of_the_file(root, write):
    base, leaf = write("base.yaml", "data: {a: 1}"), write("leaf.yaml", "extends: [base.yaml, new.yaml]")
    overlay = {base: b"data: {a: 2}", root / "new.yaml": b"data: {b: 3}"}
    assert plain(load(Workspace(overlay), leaf).resolved) == {"data": {"a": 2, "b": 3}}


def test_dependents_are_the_files_of_the_project_that_extend_one_directly_or_not(root, write):
    base = write("base.yaml", "data: {}")
    direct = write("below/direct.yaml", "extends: [../base.yaml]")
    indirect = write("indirect.yml", "extends: below/direct.yaml")
    write("other.yaml", "data: {a: base.yaml}")
    write("broken.yaml", "extends: [base.yaml")
    write("inherits.yaml", "extends: {a: base.yaml}")
    for hidden in (".venv", "build", "node_modules"):
        write(f"{hidden}/copy.yaml", "extends: ../base.yaml")
    write("project/pyproject.toml", "")
    write("project/out.yaml", "extends: ../base.yaml")
    assert graph(Workspace(), root).dependents(base) == [direct, indirect]
    assert graph(Workspace(), root).dependents(indirect) == []


@pytest.mark.parametrize(
    "key", [r'"ext\x65nds"', r'"\u0065xtends"', '? "ex\\\n  tends"\n', '? "ex\\\u2028 tends"\n']
)
def test_a_dependent_may_spell_its_key_with_escapes(root, write, key):
    base, leaf = write("base.yaml", "data: {}"), write("leaf.yaml", f"{key}: base.yaml")
    assert graph(Workspace(), root).dependents(base) == [leaf]


def test_resolving_leaves_the_files_data_as_it_is(root, write):
    base, leaf = write("base.yaml", "data: {a: 1}"), write("leaf.yaml", "extends: base.yaml\ndata: {a: 2}")
    workspace = Workspace()
    load(workspace, leaf)
    assert data(workspace.tree(base)) == parse(base, base.read_bytes()).data() == {"data": {"a": 1}}
    assert plain(load(workspace, base).resolved) == {"data": {"a": 1}}
