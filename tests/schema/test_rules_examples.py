"""Every rule against its own examples in tests/examples/rules/RULE/{bad,good}/.

What keeps a file from being checked, and unused silencers, have theirs in tests/examples/input/.
"""

from typing import Any

import pytest

from schema.explained import INPUT
from schema.explained import SILENCERS
from schema.rules import RULES
from tests.rule_examples import EXAMPLES
from tests.rule_examples import expected
from tests.rule_examples import named
from tests.rule_examples import options

IDS: dict[str, dict[str, Any]] = {"rules": RULES, "input": {**INPUT, **SILENCERS}}
BAD, GOOD = ([file for room in IDS for file in named(kind, room)] for kind in ("bad", "good"))


def name(file):
    return f"{file.parts[-3]}/{file.name.removesuffix('.yaml')}"


@pytest.fixture
def check(validate, monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    return lambda file: validate("--format", "json", *options(file), file.relative_to(EXAMPLES))


@pytest.mark.parametrize("file", BAD, ids=name)
def test_bad_example_has_exactly_the_findings_it_expects(file, check):
    ran = check(file)
    assert sorted((found["file"], found["line"], found["rule"]) for found in ran.findings) == expected(file), ran
    unreadable = any(found["rule"] in INPUT for found in ran.findings)
    assert ran.code == (2 if unreadable else any(found["severity"] == "error" for found in ran.findings))


@pytest.mark.parametrize("file", GOOD, ids=name)
def test_good_example_has_no_finding(file, check):
    ran = check(file)
    assert (ran.code, ran.findings, ran.err) == (0, [], "")


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize(("room", "rule"), [(room, rule) for room, ids in IDS.items() for rule in ids])
def test_rule_has_examples(room, rule, kind):
    assert named(kind, room, rule)


@pytest.mark.parametrize("room", IDS)
def test_every_folder_is_a_rule(room):
    assert {folder.name for folder in (EXAMPLES / room).iterdir()} == set(IDS[room])


def test_every_bad_example_expects_something_and_every_rule_is_shown():
    assert [name(file) for file in BAD if not expected(file)] == []
    shown = {rule for file in BAD for _, _, rule in expected(file) if rule == file.parts[-3]}
    assert shown == {rule for ids in IDS.values() for rule in ids}
