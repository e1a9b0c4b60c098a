"""The goals of the YAML editor over the corpus: `make corpus` collects it and runs this."""

import pytest

from tests.corpus.collect import CORPUS
from tests.corpus.collect import MANIFEST
from tests.corpus.report import written
from tests.corpus.suite import Figures
from tests.corpus.suite import run

#: Rows with fewer accepted edits than this are judged in the total only.
ENOUGH = 500


@pytest.fixture(scope="module")
def figures() -> Figures:
    assert MANIFEST.exists(), "make corpus collects the corpus first"
    found = run()
    written(found, CORPUS)
    return found


def rows(figures):
    return {name: row for (editor, name), row in figures.rows.items() if editor == "all" and name != "null"}


def test_the_corpus_is_large_enough(figures):
    assert figures.files["training"] + figures.files["general"] >= 1_500
    assert figures.files["training"] >= 400


def test_null_edit_is_byte_identical(figures):
    null = figures.row("all", "null")
    assert null.clean + null.refused == null.tried
    assert null.refused <= 0.005 * null.tried


def test_no_edit_makes_wrong_data(figures):
    assert {name: row.wrong for name, row in rows(figures).items() if row.wrong} == {}


def test_no_edit_fails(figures):
    assert {name: row.failed for name, row in rows(figures).items() if row.failed} == {}


def test_no_comment_is_lost_or_at_the_wrong_key(figures):
    assert {name: row for name, row in rows(figures).items() if row.lost or row.misplaced} == {}


def test_what_goes_with_a_key_is_reported(figures):
    assert figures.checks["report right"] > 0
    assert figures.checks["report wrong"] == 0


def test_edits_touch_their_own_lines_only(figures):
    total = figures.total("all")
    assert total.clean >= 0.999 * (total.tried - total.refused)
    for name, row in rows(figures).items():
        accepted = row.tried - row.refused
        assert accepted < ENOUGH or row.clean >= 0.999 * accepted, name


def test_few_edits_are_refused_and_each_with_a_reason(figures):
    total = figures.total("all")
    assert total.refused <= 0.005 * total.tried
    assert sum(figures.reasons.values()) == total.refused
    assert "" not in figures.reasons


def test_edits_of_different_keys_commute(figures):
    assert figures.checks["commuted"] > 0
    assert figures.checks["not commuted"] == 0


def test_yaml_edit_agrees_or_is_wrong(figures):
    agreed, both = figures.checks["yaml-edit agrees"], figures.checks["yaml-edit differs, both right"]
    assert agreed > 0
    assert both <= 0.01 * agreed


@pytest.mark.parametrize("kind", ["set", "insert", "move"])
def test_undoing_gives_the_same_bytes(figures, kind):
    assert figures.checks[f"{kind} undone"] > 0
    assert figures.checks[f"{kind} not undone"] == 0
