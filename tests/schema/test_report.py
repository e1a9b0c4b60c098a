"""Findings in each format."""

import json
from importlib import metadata
from pathlib import Path

import click
import jsonschema
import pytest

from schema import explained
from schema.findings import Excerpt
from schema.findings import Finding
from schema.findings import Related
from schema.findings import Severity
from schema.place import Place
from schema.report import report

REPOSITORY = Path(__file__).parents[2]
PUBLISHED = json.loads((REPOSITORY / "docs/findings.schema.json").read_text())


@pytest.fixture
def findings(root):
    """An error with all that a finding can have, a warning, and one in a base of three presets."""
    preset, base = root / "configs" / "a preset, 100%.yaml", root.parent / "base.yaml"
    return [
        Finding(
            "one-port",
            Severity.ERROR,
            Place(preset, 3, 9, 3, 15),
            "50%: is [1, 2]\nor so",
            "ValueError",
            "set it",
            (
                Related("vllm_server_port [1, 2]", Place(preset, 3, 9, 3, 15)),
                Related("x é", Place(base, 7, 1, 8, 2)),
            ),
            (preset,),
            Excerpt("  port: [1, 2]  # é", 8, 6),
        ),
        Finding("yaml-versions", Severity.WARNING, Place(preset, 7, 1), "on is é", presets=(preset,)),
        Finding(
            "one-port",
            Severity.ERROR,
            Place(base, 1, 1, 3, 4),
            "is 0",
            fix="set it",
            presets=tuple(root / f"leaf{n}.yaml" for n in range(5)),
        ),
    ]


def test_text(findings, root):
    base = root.parent / "base.yaml"
    assert report(findings, "text") == (
        "configs/a preset, 100%.yaml:3:9: error[one-port] 50%: is [1, 2]\\nor so\n"
        "     3 |   port: [1, 2]  # é\n"
        "       |         ^^^^^^\n"
        "    ValueError\n"
        "    in configs/a preset, 100%.yaml: vllm_server_port [1, 2] (configs/a preset, 100%.yaml:3),"
        f" x é ({base}:7)\n"
        "    fix: set it\n"
        "configs/a preset, 100%.yaml:7:1: warning[yaml-versions] on is é\n"
        f"{base}:1:1: error[one-port] is 0\n"
        "    in leaf0.yaml, leaf1.yaml, leaf2.yaml and 2 more presets\n"
        "    fix: set it\n"
        "2 errors, 1 warning in 2 files\n"
        f"`validate-config --explain RULE` and {REPOSITORY}/docs/rules.md say more"
    )


def test_concise_is_a_line_each(findings, root):
    assert report(findings, "concise").splitlines() == [
        "configs/a preset, 100%.yaml:3:9: error[one-port] 50%: is [1, 2]\\nor so",
        "configs/a preset, 100%.yaml:7:1: warning[yaml-versions] on is é",
        f"{root.parent}/base.yaml:1:1: error[one-port] is 0",
        "2 errors, 1 warning in 2 files",
    ]


@pytest.mark.parametrize("form", ["text", "concise"])
def test_colour_changes_nothing_but_the_colour(findings, form):
    coloured = report(findings, form, coloured=True)
    assert "\x1b[31m" in coloured
    assert click.unstyle(coloured) == report(findings, form)


@pytest.mark.parametrize(
    ("text", "caret", "width", "marked"),
    [
        ("a: 模型", 3, 2, "   ^^^^"),
        ("模型: x", 4, 1, "      ^"),
        ("e\u0301: x", 4, 1, "   ^"),
        ("a: ***", 3, 0, None),
    ],
)
def test_carets_stand_below_the_value(findings, text, caret, width, marked):
    shown = report([findings[0]._replace(excerpt=Excerpt(text, caret, width))], "text").splitlines()
    assert shown[1] == f"     3 | {text}"
    assert (shown[2] == f"       | {marked}") is (marked is not None)


@pytest.mark.parametrize(
    ("which", "summary"),
    [([0], "1 error in 1 file"), ([1], "1 warning in 1 file"), ([1, 1], "2 warnings in 1 file")],
)
def test_text_ends_with_a_summary(findings, which, summary):
    assert report([findings[n] for n in which], "text").splitlines()[-2] == summary


def test_text_names_the_page_of_the_only_rule(findings, monkeypatch):
    only = [findings[0], findings[2]]
    monkeypatch.chdir(REPOSITORY)
    last = report(only, "text").splitlines()[-1]
    assert last == "`validate-config --explain one-port` and docs/rules/one-port.md say more"
    machine = report([findings[1]._replace(rule="gpu-busy")], "text").splitlines()[-1]
    assert machine == "`rollout-split explain gpu-busy` and docs/rules/gpu-busy.md say more"


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Makes Python see an installed rollout-split whose metadata say where its documentation is."""
    folder = tmp_path / "site" / "rollout_split-9.0.dist-info"
    folder.mkdir(parents=True)
    urls = "".join(
        f"Project-URL: {url}\n" for url in ("Home, https://x.org", "Documentation, https://x.org/docs/")
    )
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: rollout-split\nVersion: 9.0\n{urls}")
    monkeypatch.syspath_prepend(folder.parent)
    explained.published.cache_clear()
    yield
    explained.published.cache_clear()


def test_published_pages_are_named_by_their_address(published, findings, validate):
    page = "https://x.org/docs/rules/one-port.md"
    driver = json.loads(report(findings[:1], "sarif"))["runs"][0]["tool"]["driver"]
    assert [rule["helpUri"] for rule in driver["rules"]] == [page]
    assert driver["informationUri"] == "https://x.org/docs/rules.md"
    assert report(findings[:1], "text").endswith(f"`validate-config --explain one-port` and {page} say more")
    assert validate("--explain", "one-port").out.endswith(f"\n\nIts page is {page}\n")


def test_without_a_clone_and_an_address_no_page_is_named(findings, monkeypatch, tmp_path):
    monkeypatch.setattr("schema.explained.__file__", str(tmp_path / "site-packages" / "schema" / "explained.py"))
    assert report(findings[:1], "text").endswith("`validate-config --explain one-port` says more")


def test_json_is_as_published(findings, root):
    said = json.loads(report(findings, "json"))
    jsonschema.validate(said, PUBLISHED)
    assert (said["version"], said["errors"], said["warnings"], said["error"]) == (1, 2, 1, None)
    first, second, third = said["findings"]
    file = "configs/a preset, 100%.yaml"
    assert first == {
        "rule": "one-port",
        "severity": "error",
        "presets": [file],
        "file": file,
        "line": 3,
        "column": 9,
        "end_line": 3,
        "end_column": 15,
        "message": "50%: is [1, 2]\nor so",
        "consequence": "ValueError",
        "fix": "set it",
        "fixable": False,
        "related": [
            {
                "text": "vllm_server_port [1, 2]",
                "file": file,
                "line": 3,
                "column": 9,
                "end_line": 3,
                "end_column": 15,
            },
            {
                "text": "x é",
                "file": f"{root.parent}/base.yaml",
                "line": 7,
                "column": 1,
                "end_line": 8,
                "end_column": 2,
            },
        ],
    }
    assert (second["severity"], second["consequence"], second["fix"]) == ("warning", "", "")
    assert (second["end_line"], second["end_column"]) == (None, None)
    assert (third["file"], len(third["presets"])) == (f"{root.parent}/base.yaml", 5)


def test_github_commands_are_escaped(findings, root):
    preset = "file=configs/a preset%2C 100%25.yaml"
    text = "50%25: is [1, 2]\\nor so%0AValueError%0Afix: set it"
    assert report(findings, "github").split("\n") == [
        f"::error {preset},line=3,col=9,endLine=3,endColumn=14,title=one-port::{text}",
        f"::warning {preset},line=7,col=1,title=yaml-versions::on is é",
        f"::error file={root.parent}/base.yaml,line=1,col=1,endLine=3,title=one-port::is 0%0Afix: set it",
    ]


def test_sarif(findings, root):
    log = json.loads(report(findings, "sarif"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("rollout-split", metadata.version("rollout-split"))
    assert [rule["id"] for rule in driver["rules"]] == ["one-port", "yaml-versions"]
    assert all(rule["fullDescription"]["text"] and "helpUri" not in rule for rule in driver["rules"])
    assert [rule["name"] for rule in driver["rules"]] == ["OnePort", "YamlVersions"]
    for rule in driver["rules"]:
        summary, _, more = rule["help"]["text"].partition("\n")
        assert rule["help"]["markdown"].startswith(f"**{summary}**\n")
        assert more.rpartition("\n\n")[0] in rule["help"]["markdown"]
    first, second, third = run["results"]
    file = "configs/a%20preset%2C%20100%25.yaml"
    assert first == {
        "ruleIndex": 0,
        "ruleId": "one-port",
        "level": "error",
        "message": {"text": "50%: is [1, 2]\nor so\nValueError\nfix: set it"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file},
                    "region": {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 15},
                    "contextRegion": {"startLine": 3, "snippet": {"text": "  port: [1, 2]  # é"}},
                }
            }
        ],
        "relatedLocations": [
            {
                "id": 0,
                "message": {"text": "x é"},
                "physicalLocation": {
                    "artifactLocation": {"uri": f"file://{root.parent}/base.yaml"},
                    "region": {"startLine": 7, "startColumn": 1, "endLine": 8, "endColumn": 2},
                },
            }
        ],
        "properties": {"presets": ["configs/a preset, 100%.yaml"]},
    }
    assert [result["level"] for result in (second, third)] == ["warning", "error"]
    assert [result["ruleIndex"] for result in (second, third)] == [1, 0]


def test_nothing_found():
    assert report([], "text") == report([], "concise") == report([], "github") == ""
    assert json.loads(report([], "json"))["findings"] == []
    assert json.loads(report([], "sarif"))["runs"][0]["results"] == []


def test_the_context_of_a_sarif_region_holds_it(findings):
    """A finding of several lines has no context: the line that is shown is less than it."""
    over = findings[0]._replace(place=findings[0].place._replace(end_line=findings[0].place.line + 2))
    results = json.loads(report([findings[0], over], "sarif"))["runs"][0]["results"]
    shown = ["contextRegion" in each["locations"][0]["physicalLocation"] for each in results]
    assert shown == [True, False]
