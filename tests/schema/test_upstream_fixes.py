"""docs/upstream-fixes.md names rules that there are, and each row of the table of defects."""

import re
from pathlib import Path

from schema import catalogue
from schema.rules import RULES
from schema.rules.defects import DEFECTS

PAGE = (Path(__file__).parents[2] / "docs/upstream-fixes.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| \d", line)]
#: The rules that it names.
NAMED = {name for *_, why in ROWS for name in re.findall(r"`([a-z0-9-]+-[a-z0-9-]+)`", why)}


def test_every_mend_has_one_row_and_a_rule_or_a_reason():
    assert len(ROWS) == len({commit for _, commit, *_ in ROWS}) == 104
    assert [row for row in ROWS if len(row) != 4 or not row[3]] == []


def test_every_rule_that_is_named_exists():
    assert NAMED - RULES.keys() == set()


def test_every_defect_is_named():
    named = {name for *_, why in ROWS for name in re.findall(r"`release-defect` ([a-z0-9-]+)", why)}
    assert named == DEFECTS.keys()


def test_every_defect_lies_between_releases_that_there_are():
    versions = catalogue.versions()
    for defect in DEFECTS.values():
        assert versions.index(defect.since) < versions.index(defect.until)
        assert defect.field in catalogue.release(catalogue.versions()[versions.index(defect.until) - 1]).trainer
