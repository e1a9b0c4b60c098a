"""This project's verdicts and ms-swift's, on mutants of the shipped presets."""

import random

import mutations


def test_agrees_with_the_reference_release(upstream):
    verdicts = upstream.judge(mutations.everything(upstream.bases(), upstream.release), "all mutants")
    assert len(verdicts) >= 1000
    assert [str(v) for v in verdicts if v.kind == "false accept"] == []


def test_oldest(oldest):
    bases = list(oldest.bases().values())
    verdicts = oldest.judge(mutations.core(bases, oldest.release, random.Random(mutations.SEED)), "core")
    assert [str(v) for v in verdicts if v.kind == "false accept"] == []
