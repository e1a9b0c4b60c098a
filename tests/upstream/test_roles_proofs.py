"""Each line that the role table names as a proof mentions the field, in the installed release."""

import re

import pytest

from schema.swift.roles import ROLES
from tests.upstream.oracle import ROOT

PLACE = re.compile(r"([\w/]+\.py):(\d+)")


@pytest.fixture(scope="module")
def sources():
    return next((ROOT / ".venv-upstream/lib").glob("python*/site-packages/swift"))


@pytest.mark.parametrize("row", ROLES.values(), ids=ROLES)
def test_line_mentions_the_field(sources, row):
    places = PLACE.findall(row.proof)
    assert places
    for file, line in places:
        text = (sources / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert re.search(rf"\b{row.field}\b", text), f"{file}:{line}: {text}"
