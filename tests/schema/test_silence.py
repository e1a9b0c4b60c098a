"""Silencers: by line, by file and for the project; and what is said of those that silence nothing."""

import pytest

from tests.schema.complete import ROOT
from tests.schema.complete import SERVER

PORT = "  vllm_server_port: [0]"
HUSH = "# rollout-split: ignore[one-port]"


def rules(ran):
    return [(each["rule"], each["severity"]) for each in ran.findings]


@pytest.mark.parametrize(
    "lines",
    [
        f"{PORT}  {HUSH} the proxy listens there",
        f"{PORT}  # why  {HUSH}",
        f"{PORT}  # rollout-split:ignore[num-generations, one-port]",
        f"  {HUSH}\n{PORT}",
        f"  {HUSH} the proxy\n  # listens there\n\n{PORT}",
        f"{PORT}  # rollout-split: ignore [one-port]",
        f"  temperature: 0.5  # \u2028\n{PORT}  {HUSH}",
    ],
)
def test_a_comment_silences_its_line(validate, preset, lines):
    ran = validate(preset(f"rlhf:\n{lines}"), "--format", "json")
    assert [rule for rule, severity in rules(ran) if severity == "error"] == []
    assert ran.code == 0


@pytest.mark.parametrize(
    "lines",
    [
        f"{PORT}\n  {HUSH}",
        f"{PORT}  # rollout-split: ignore[num-generations]",
        f"{PORT}\n  structured_outputs_regex: '{HUSH}'",
        f"  temperature: 0.5  {HUSH}\n{PORT}",
    ],
)
def test_another_line_another_rule_or_a_value_silences_nothing(validate, preset, lines):
    assert ("one-port", "error") in rules(validate(preset(f"rlhf:\n{lines}"), "--format", "json"))


def test_an_unused_silencer_is_a_warning_at_its_name(validate, preset):
    leaf = preset(f"rlhf:\n  temperature: 0.5  {HUSH}")
    (found,) = validate(leaf, "--format", "json").findings
    assert (found["rule"], found["severity"], found["line"]) == ("unused-ignore", "warning", 3)
    assert found["message"] == "ignore[one-port] silences nothing"
    assert f"\n       | {' ' * 44}^^^^^^^^\n" in validate(leaf).out


def test_a_project_silences_unused_silencers(validate, preset, write):
    leaf = preset(f"rlhf:\n  temperature: 0.5  {HUSH}")
    write("pyproject.toml", f'[tool.rollout-split]\nignore = ["unused-ignore"]\n{ROOT}')
    assert validate(leaf) == (0, "", "")


@pytest.mark.parametrize("comment", ["ignore", "ignore[]", "Ignore", "ignore one-port"])
def test_a_silencer_that_names_no_rule_is_a_warning(validate, preset, comment):
    leaf = preset(f"rlhf:\n  temperature: 0.5  # rollout-split: {comment}")
    (found,) = validate(leaf, "--format", "json").findings
    assert found["message"] == "this comment silences nothing: write `# rollout-split: ignore[rule] reason`"


def test_a_silencer_in_the_first_line_is_heard_by_what_the_file_lacks(validate, write):
    lacking = "model: {model: m}\ntraining: {}\nrlhf: {rlhf_type: grpo}\n"

    def at_start(text):
        found = validate(write("x.yaml", text), "--format", "json").findings
        return {each["rule"] for each in found if each["line"] == 1}

    assert "missing-key" in at_start(lacking)
    assert "missing-key" not in at_start(f"# rollout-split: ignore[missing-key] a trial\n{lacking}")


def test_a_silencer_that_only_other_presets_need_is_no_finding(validate, preset, write):
    write("part.yaml", f"rlhf:\n{PORT}  {HUSH}\n")
    assert validate("part.yaml", "--format", "json").findings == []


def test_a_silencer_of_no_rule_says_which_was_meant(validate, preset):
    leaf = preset(f"rlhf:\n{PORT}  # rollout-split: ignore[one-prt]")
    said = [each["message"] for each in validate(leaf, "--format", "json").findings]
    assert "ignore[one-prt] silences nothing: there is no rule 'one-prt'; did you mean one-port?" in said


def test_a_silencer_in_a_base_holds_for_all_that_extend_it(validate, preset):
    preset(f"rlhf:\n{PORT}  {HUSH}", "middle.yaml")
    leaf = preset("", "leaf.yaml", "middle.yaml")
    assert validate(leaf, "middle.yaml") == validate(leaf) == validate("middle.yaml") == (0, "", "")


@pytest.mark.parametrize(
    "table",
    [
        'ignore = ["one-port"]',
        '[tool.rollout-split.per-file-ignores]\n"configs/*.yaml" = ["one-port"]',
        '[tool.rollout-split.per-file-ignores]\n"configs/**" = ["one-port"]',
    ],
)
def test_the_project_silences_a_rule(validate, preset, write, table):
    leaf = preset(f"rlhf:\n{PORT}")
    assert validate(leaf).code == 1
    write("below/pyproject.toml", f"{ROOT}[tool.rollout-split]\n{table}\n")
    write("below/server.yaml", SERVER)
    write("below/configs/leaf.yaml", f"extends: ../server.yaml\nrlhf:\n{PORT}\n")
    assert validate("below/configs/leaf.yaml") == (0, "", "")
    write("below/leaf.yaml", f"extends: server.yaml\nrlhf:\n{PORT}\n")
    assert validate("below/leaf.yaml").code == (1 if "per-file" in table else 0)


def test_a_project_that_silences_no_rule_is_refused(validate, write):
    write("below/pyproject.toml", '[tool.rollout-split]\nignore = ["one-prt"]\n')
    write("below/server.yaml", SERVER)
    ran = validate("below/server.yaml", "--format", "concise")
    assert ran.code == 2
    assert "error[invalid-project] [tool.rollout-split] ignores one-prt; `validate-config --list-rules`" in ran.out
