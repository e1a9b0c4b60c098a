"""The version has one place, and the changelog knows it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_newest_version_of_the_changelog_is_the_project_s():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", version]
