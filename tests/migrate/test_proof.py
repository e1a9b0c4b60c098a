"""The proof stops every result that is not what was planned, and the command then writes nothing."""

import copy
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.nested.directions import DIRECTIONS
from migrate.nested.directions import PartToServer
from migrate.proof import ProofError
from migrate.proof import difference
from migrate.yamledit import document as reader
from schema.errors import InputError
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.yaml12 import same
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.yamledit.yaml_files import apply
from tests.migrate.yamledit.yaml_files import document
from tests.migrate.yamledit.yaml_files import prove

OLD = """\
# head
a: 1    # of a
b:
  # of c
  c: [1, 2]
  d: 1.0e-06
e: true
"""
PLAN = [Change(("a",), 2, ""), Remove(("b", "c"), ""), Move(("b", "d"), ("f", "d"), ""), Add(("g",), None, "")]
NEW = """\
# head
a: 2    # of a
b: {}
e: true
f:
  d: 1.0e-06
g: null
"""


def test_what_was_planned_passes():
    old = document(OLD)
    new = apply(old, PLAN)
    assert new.text == NEW
    prove(old, new, PLAN)


@pytest.mark.parametrize("value", [".nan", "[.nan, .inf]"])
def test_what_is_no_number_equals_itself(value):
    old = document(f"a: 1\nb: {value}\n")
    prove(old, apply(old, [Change(("a",), 2, "")]), [Change(("a",), 2, "")])


def test_a_changed_order_is_caught():
    with pytest.raises(ProofError):
        prove(document("a: [1, 2]\n"), document("a: [2, 1]\n"), [])


KEYS = st.sampled_from(["a", "b"])
SCALARS = st.sampled_from([None, False, True, 0, 1, 0.0, 1.0, nan, "", "1", "true"])
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2))


def test_equality_of_the_plan_is_that_of_the_proof():
    with floor(0.2) as equal:

        @examples(200)
        @given(st.one_of(st.tuples(DATA, DATA), DATA.map(lambda data: (data, copy.deepcopy(data)))))
        def agree(pair):
            equal.append(same(*pair))
            planned, actual = ({"data": data} for data in pair)
            assert (not difference(planned, actual)) == equal[-1], pair

        agree()


def test_nothing_planned_and_nothing_changed_passes():
    prove(document(OLD), document(OLD), [])


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("a: 2", "a: 1", "read with PyYAML, the new text differs from the plan"),
        ("a: 2", "a: 2.0", "PyYAML"),
        ("a: 2", "a: two", "PyYAML"),
        ("a: 2", 'a: "2"', "PyYAML"),
        ("e: true", "e: 1", "PyYAML"),
        ("e: true\n", "", "PyYAML"),
        ("e: true\n", "e: true\nh: 1\n", "PyYAML"),
        ("b: {}", "b:", "PyYAML"),
        ("b: {}", "b:\n  c: [1, 2]", "PyYAML"),
        ("f:\n  d: 1.0e-06\n", "f: {}\n", "PyYAML"),
        ("1.0e-06", "1e-06", "PyYAML"),
        ("g: null", "g: nul", "PyYAML"),
        ("# head\n", "", r"comments would be lost, or appear from nowhere: \['# head'\]"),
        ("    # of a", "", r"comments would be lost, or appear from nowhere: \['# of a'\]"),
        ("# of a", "# of b", "comments would be lost"),
        ("b: {}", "b: {}\n  # of c", r"appear from nowhere: \['# of c'\]"),
        ("# head", "# head\n# head", r"appear from nowhere: \['# head'\]"),
    ],
)
def test_what_was_not_planned_is_caught(right, wrong, reason):
    assert right in NEW
    with pytest.raises(ProofError, match=reason):
        prove(document(OLD), document(NEW.replace(right, wrong)), PLAN)


def test_what_only_yaml_12_reads_differently_is_caught():
    # A plain 0o17 is a text to PyYAML and fifteen to ruamel.yaml.
    plan = [Add(("h",), "0o17", "")]
    with pytest.raises(ProofError, match=r"read with ruamel.yaml"):
        prove(document("a: 1\n"), document("a: 1\nh: 0o17\n"), plan)


def test_a_file_that_yaml_12_refuses_is_refused():
    # A block scalar whose second blank line is deeper than its first.
    text = "a: 1\nb: |\n \n   \nc: 1\n"
    with pytest.raises(InputError, match=r"readers of YAML 1\.2 refuse this file"):
        prove(document(text), document(text.replace("a: 1", "a: 2")), [Change(("a",), 2, "")])


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="duplicate key 'b'"):
        prove(document("a: 1\n"), document("a: 1\nb: 1\nb: 2\n"), [Add(("b",), 2, "")])


def test_a_defect_writes_nothing_and_exits_with_3(root, files, migrate, monkeypatch):
    (root / "preset.yaml").write_bytes(WHOLE)
    before = files()
    # A defect: a moved key loses its comments.
    monkeypatch.setattr(reader, "lines_of", lambda document, path, head: reader.Lines((f"{path[-1]}: 16\n",), 0))
    ran = migrate("--write", "preset.yaml")
    assert ran.code == 3
    assert "comments would be lost, or appear from nowhere: ['# measured', '# of the engine']" in ran.err
    assert files() == before


def test_a_result_that_would_be_migrated_again_writes_nothing(root, files, migrate, monkeypatch):
    (root / "preset.yaml").write_bytes(WHOLE)
    before = files()

    class Restless(PartToServer):
        def edits(self):
            return super().edits() or [Change(("rlhf", "temperature"), 1.5, "no reason", self.aim.path)]

    monkeypatch.setitem(DIRECTIONS, "server", Restless)
    ran = migrate("--write", "preset.yaml")
    assert (ran.code, "migrating the result again would change it" in ran.err) == (3, True)
    assert files() == before


WHOLE = b"""\
global_max_length: 4096
model: {model: models/tiny, torch_dtype: bfloat16}
template: {template: qwen3}
training:
  run_name: tiny
  output_dir: output/tiny
  logging_dir: output/tiny/tb
  num_train_epochs: 1
  learning_rate: 1.0e-6
  vit_lr: 1.0e-7
  aligner_lr: 1.0e-6
  per_device_train_batch_size: 2
  effective_batch_size: 32
data: {dataset: [dummy]}
rlhf:
  rlhf_type: grpo
  reward_funcs: [accuracy]
  num_generations: 4
  generation_batch_size: 32
  max_completion_length: 1024
  truncation_strategy: delete
  temperature: 0.9
  use_vllm: true
  vllm_mode: colocate
  # of the engine
  vllm_max_num_seqs: 16   # measured
"""
