"""Findings in each format."""

import json
from importlib import metadata

import pytest

from schema.findings import Finding
from schema.findings import Severity
from schema.place import Place
from schema.report import REPORTERS


@pytest.fixture
def findings(root):
    preset = root / "configs" / "a preset, 100%.yaml"
    return [
        Finding("one-port", Severity.ERROR, Place(preset, 3, 9), "50%: is [1, 2]\nor so", "ValueError", "set it"),
        Finding("yaml-versions", Severity.WARNING, Place(preset, 7, 1), "on is é"),
        Finding("one-port", Severity.ERROR, Place(root.parent / "base.yaml", 1, 1), "is 0", fix="set it"),
    ]


def test_text(findings, root):
    assert REPORTERS["text"](findings) == (
        "configs/a preset, 100%.yaml:3:9: error[one-port] 50%: is [1, 2]\\nor so\n"
        "    ValueError\n"
        "    fix: set it\n"
        "configs/a preset, 100%.yaml:7:1: warning[yaml-versions] on is é\n"
        f"{root.parent}/base.yaml:1:1: error[one-port] is 0\n"
        "    fix: set it\n"
        "2 errors, 1 warning in 2 files"
    )


@pytest.mark.parametrize(
    ("which", "summary"),
    [([0], "1 error in 1 file"), ([1], "1 warning in 1 file"), ([1, 1], "2 warnings in 1 file")],
)
def test_text_ends_with_a_summary(findings, which, summary):
    assert REPORTERS["text"]([findings[n] for n in which]).splitlines()[-1] == summary


def test_json(findings, root):
    first, second, third = json.loads(REPORTERS["json"](findings))
    assert first == {
        "rule": "one-port",
        "severity": "error",
        "file": "configs/a preset, 100%.yaml",
        "line": 3,
        "column": 9,
        "message": "50%: is [1, 2]\nor so",
        "consequence": "ValueError",
        "fix": "set it",
    }
    assert (second["severity"], second["consequence"], second["fix"]) == ("warning", "", "")
    assert third["file"] == f"{root.parent}/base.yaml"


def test_github_commands_are_escaped(findings, root):
    preset = "file=configs/a preset%2C 100%25.yaml"
    text = "50%25: is [1, 2]\\nor so%0AValueError%0Afix: set it"
    assert REPORTERS["github"](findings).split("\n") == [
        f"::error {preset},line=3,col=9,title=one-port::{text}",
        f"::warning {preset},line=7,col=1,title=yaml-versions::on is é",
        f"::error file={root.parent}/base.yaml,line=1,col=1,title=one-port::is 0%0Afix: set it",
    ]


def test_sarif(findings):
    log = json.loads(REPORTERS["sarif"](findings))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"] == {
        "name": "rollout-split",
        "version": metadata.version("rollout-split"),
        "rules": [{"id": "one-port"}, {"id": "yaml-versions"}],
    }
    assert run["results"][0] == {
        "ruleId": "one-port",
        "level": "error",
        "message": {"text": "50%: is [1, 2]\nor so\nValueError\nfix: set it"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "configs/a%20preset%2C%20100%25.yaml"},
                    "region": {"startLine": 3, "startColumn": 9},
                }
            }
        ],
    }
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]


def test_nothing_found():
    assert REPORTERS["text"]([]) == ""
    assert REPORTERS["github"]([]) == ""
    assert json.loads(REPORTERS["json"]([])) == []
    assert json.loads(REPORTERS["sarif"]([]))["runs"][0]["results"] == []
