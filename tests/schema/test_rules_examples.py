"""Every rule against its own examples in tests/examples/rules/RULE/{bad,good}/.

A bad file says at the end of a line what is found there: `# expect: RULE`, or several with commas. The first
line may give options: `# options: --train-gpus 8`.
"""

import re
from pathlib import Path

import pytest

from schema.rules import RULES

EXAMPLES = Path(__file__).parents[1] / "examples"
FOLDER = EXAMPLES / "rules"
BAD, GOOD = (sorted(FOLDER.glob(f"*/{kind}/*.yaml")) for kind in ("bad", "good"))


def name(file):
    return f"{file.parts[-3]}/{file.stem}"


def expected(file):
    return sorted(
        (number, rule.strip())
        for number, line in enumerate(file.read_text().splitlines(), 1)
        for said in re.findall(r"# expect: (.*)", line)
        for rule in said.split(",")
    )


@pytest.fixture
def check(validate, monkeypatch):
    monkeypatch.chdir(EXAMPLES)

    def check(file):
        options = re.match(r"# options: (.*)", file.read_text())
        return validate("--format", "json", *(options[1].split() if options else ()), file.relative_to(EXAMPLES))

    return check


@pytest.mark.parametrize("file", BAD, ids=name)
def test_bad_example_has_exactly_the_findings_it_expects(file, check):
    ran = check(file)
    assert sorted((found["line"], found["rule"]) for found in ran.findings) == expected(file), ran
    assert {found["file"] for found in ran.findings} == {str(file.relative_to(EXAMPLES))}
    assert ran.code == any(found["severity"] == "error" for found in ran.findings)


@pytest.mark.parametrize("file", GOOD, ids=name)
def test_good_example_has_no_finding(file, check):
    assert check(file) == (0, "[]\n", "")


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize("rule", RULES)
def test_rule_has_examples(rule, kind):
    assert list((FOLDER / rule / kind).glob("*.yaml"))


def test_every_folder_is_a_rule():
    assert {folder.name for folder in FOLDER.iterdir()} == set(RULES)


def test_every_bad_example_expects_something_and_every_rule_is_shown():
    assert [name(file) for file in BAD if not expected(file)] == []
    assert {rule for file in BAD for _, rule in expected(file) if rule == file.parts[-3]} == set(RULES)
