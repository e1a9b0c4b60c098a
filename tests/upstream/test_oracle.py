"""This project's verdicts and ms-swift's, on mutants of the shipped presets."""

import random
from pathlib import Path

import pytest

from tests.upstream import mutations
from tests.upstream.disagreements import REJECTED_FLAT
from tests.upstream.disagreements import REJECTED_HERE
from tests.upstream.disagreements import is_explained
from tests.upstream.oracle import ROOT
from tests.upstream.samples import SETTINGS


@pytest.fixture(scope="module")
def verdicts(upstream):
    return upstream.judge(mutations.everything(upstream.bases(), upstream.release), "all mutants")


@pytest.fixture(scope="module")
def core(oldest):
    bases = list(oldest.bases().values())
    core = mutations.core(bases, oldest.release, random.Random(mutations.SEED))
    settings = (mutations.mutant(bases[0], *changes) for changes in mutations.settings(SETTINGS))
    return oldest.judge([*core, *settings], "core")


def unexplained(verdicts):
    return [str(v) for v in verdicts if v.kind.startswith("false") and not is_explained(v)]


def test_reference_release_agrees(verdicts):
    assert len(verdicts) >= 1000
    assert unexplained(verdicts) == []


def test_oldest_release_agrees(core):
    assert unexplained(core) == []


def test_every_explanation_is_needed(verdicts, core):
    rejected = [verdict.rules for verdict in verdicts + core if verdict.kind == "false reject"]
    assert set().union(*rejected) >= REJECTED_HERE.keys()


def test_docs_explain_the_same_rules():
    text = Path(ROOT, "docs/disagreements.md").read_text(encoding="utf-8")
    assert {rule for rule in REJECTED_HERE | REJECTED_FLAT if f"`{rule}`" not in text} == set()
