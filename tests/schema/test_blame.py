"""Which file a finding stands in, what it rests on, and how its line is shown."""

import re

import pytest

KNOBS = "rlhf: {vllm_mode: server, vllm_server_host: ['127.0.0.1'], vllm_server_port: [8080]}"
BLOCK = (
    "custom: {extra: {rollout_server: {vllm_tensor_parallel_size: 1, vllm_data_parallel_size: 6,"
    " vllm_max_model_len: 4096}}}"
)


def found(ran):
    return [(each["file"], each["line"], each["rule"]) for each in ran.findings]


def related(finding):
    return {(each["text"], each["file"], each["line"]) for each in finding["related"]}


def test_a_base_that_is_right_by_itself_is_not_at_fault(validate, preset):
    preset("rlhf:\n  vllm_gpu_memory_utilization: 0.5", "whole.yaml", "colocate.yaml")
    leaf = preset(f"{KNOBS}\n{BLOCK}", "leaf.yaml", "whole.yaml")
    assert validate("whole.yaml").code == 0
    ran = validate(leaf, "--format", "json")
    at_leaf = [each for each in ran.findings if "vllm_gpu_memory_utilization" in each["message"]]
    assert [(each["file"], each["line"], each["presets"]) for each in at_leaf] == [("leaf.yaml", 2, ["leaf.yaml"])]
    assert ("vllm_gpu_memory_utilization 0.5", "whole.yaml", 3) in related(at_leaf[0])
    assert "whole.yaml is right by itself, so change leaf.yaml" in at_leaf[0]["fix"]


def test_a_component_s_value_is_at_fault_where_nothing_else_takes_part(validate, preset, write):
    write("part.yaml", "rlhf:\n  vllm_server_port: [0]\n")
    leaf = preset("", "leaf.yaml", "[server.yaml, part.yaml]")
    assert found(validate(leaf, "--format", "json")) == [("part.yaml", 2, "one-port")]


def test_a_combination_stands_where_it_is_made(validate, preset, write):
    write("groups.yaml", "rlhf: {num_generations: 5}\n")
    preset("", "whole.yaml", "[server.yaml, groups.yaml]")
    leaves = [preset("training: {run_name: x}", f"leaf{n}.yaml", "whole.yaml") for n in range(5)]
    (first, *_) = ran = [
        each for each in validate(*leaves, "--format", "json").findings if each["rule"] == "num-generations"
    ]
    assert len(ran) == 1
    assert (first["file"], first["line"]) == ("whole.yaml", 1)
    assert first["presets"] == [f"leaf{n}.yaml" for n in range(5)]
    assert ("num_generations 5", "groups.yaml", 1) in related(first)
    text = validate(*leaves).out
    assert "in leaf0.yaml, leaf1.yaml, leaf2.yaml and 2 more presets: " in text
    assert "num_generations 5 (groups.yaml:1)" in text


def test_a_leaf_that_overrides_is_at_fault_at_its_own_value(validate, preset):
    leaf = preset("rlhf:\n  num_generations: 5")
    rules = {each["rule"]: each for each in validate(leaf, "--format", "json").findings}
    assert (rules["num-generations"]["file"], rules["num-generations"]["line"]) == ("preset.yaml", 3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rlhf:\n  vllm_server_host: null", 3),
        ("custom:\n  extra:\n    rollout_server: null", 4),
        ("rlhf:\n  temperature: 0.5\n  use_vllm: null", 4),
        ("rlhf:\n  temperature: 0.5\nglobal_max_length: 8192", 4),
        ("custom:\n  extra:\n    rollout_server:\n      vllm_tensor_parallel_size: 2", 5),
    ],
)
def test_a_leaf_that_takes_away_or_changes_is_at_fault_at_its_own_line(validate, preset, text, line):
    ran = validate(preset(text), "--rollout-gpus", "6", "--format", "json")
    at_leaf = {(each["file"], each["line"]) for each in ran.findings}
    assert ("preset.yaml", line) in at_leaf, ran.findings
    assert {file for file, _ in at_leaf} == {"preset.yaml"}


def test_a_misspelt_secret_is_starred_too(validate, preset):
    leaf = preset("training:\n  hub_tokn: hush-hush-1")
    for form in ("text", "json", "sarif", "github"):
        assert "hush" not in validate(leaf, "--format", form).out


def test_secrets_are_starred_in_what_is_told_beside_a_finding(validate, preset):
    leaf = preset("rlhf:\n  vllm_server_port: [0]  # token: hush-hush-1\n  zzz_x: 1")
    ran = validate(leaf)
    assert "hush-hush-1" not in ran.out
    assert "port: [0]  # token: ***" in ran.out


@pytest.mark.parametrize(
    ("line", "shown", "marked"),
    [
        ("  vllm_server_port: [0]", "  vllm_server_port: [0]", "[0]"),
        ("  vllm_server_port: [0]   # why", "  vllm_server_port: [0]   # why", "[0]"),
        ("  vllm_server_port:  {a: 1}", "  vllm_server_port:  {a: 1}", "{a: 1}"),
        (f"  vllm_server_port: [0]  # {'x' * 300}", f"  vllm_server_port: [0]  # {'x' * 133}...", "[0]"),
        ("  vllm_server_port: [0]  # \u202e", "  vllm_server_port: [0]  # \\u202e", "[0]"),
    ],
)
def test_the_line_is_shown_with_carets_below_the_value(validate, preset, line, shown, marked):
    lines = validate(preset(f"rlhf:\n{line}")).out.splitlines()
    at = lines.index(f"     3 | {shown}")
    assert re.sub(r"\s|\|", "", lines[at + 1]) == "^" * len(marked)
    assert lines[at + 1].index("^") == lines[at].index(marked)


def test_a_line_far_to_the_right_is_cut_on_both_sides(validate, preset):
    pad = ", ".join(f"k{n}: {n}" for n in range(100))
    lines = validate(preset(f"custom: {{{pad}, x: 0o17, {pad.replace('k', 'l')}}}")).out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.lstrip().startswith("2 | "))
    assert lines[at].startswith("     2 | ...")
    assert lines[at].endswith("...")
    assert lines[at][lines[at + 1].index("^") :].startswith("0o17,")
