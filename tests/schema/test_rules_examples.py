"""Every rule against its own examples in tests/examples/rules/RULE/{bad,good}/.

A bad file says at the end of a line what is found there: `# expect: RULE`, or several with commas. The first
line may give options: `# options: --train-gpus 8`. The server's half of a flat preset, x.rollout.yaml, is part
of the example x.yaml. In a script, where a comment may end a call, a line of its own says it: `# expect 7: RULE`.
"""

import re
from pathlib import Path

import pytest

from schema.rules import RULES

EXAMPLES = Path(__file__).parents[1] / "examples"
FOLDER = EXAMPLES / "rules"
BAD, GOOD = (
    sorted(
        file
        for file in FOLDER.glob(f"*/{kind}/*.*")
        if file.suffix == ".sh" or (file.suffix == ".yaml" and not file.stem.endswith(".rollout"))
    )
    for kind in ("bad", "good")
)


def name(file):
    return f"{file.parts[-3]}/{file.name.removesuffix('.yaml')}"


def halves(file):
    return [half for half in (file, file.with_name(f"{file.stem}.rollout.yaml")) if half.exists()]


def expected(file):
    return sorted(
        (str(half.relative_to(EXAMPLES)), int(at or number), rule.strip())
        for half in halves(file)
        for number, line in enumerate(half.read_text().splitlines(), 1)
        for at, said in re.findall(r"# expect(?: (\d+))?: (.*)", line)
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
    assert sorted((found["file"], found["line"], found["rule"]) for found in ran.findings) == expected(file), ran
    assert ran.code == any(found["severity"] == "error" for found in ran.findings)


@pytest.mark.parametrize("file", GOOD, ids=name)
def test_good_example_has_no_finding(file, check):
    ran = check(file)
    assert (ran.code, ran.findings, ran.err) == (0, [], "")


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize("rule", RULES)
def test_rule_has_examples(rule, kind):
    assert [*(FOLDER / rule / kind).glob("*.yaml"), *(FOLDER / rule / kind).glob("*.sh")]


def test_every_folder_is_a_rule():
    assert {folder.name for folder in FOLDER.iterdir()} == set(RULES)


def test_every_bad_example_expects_something_and_every_rule_is_shown():
    assert [name(file) for file in BAD if not expected(file)] == []
    assert {rule for file in BAD for _, _, rule in expected(file) if rule == file.parts[-3]} == set(RULES)
