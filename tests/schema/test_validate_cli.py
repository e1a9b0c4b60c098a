"""validate-config: exit codes, which file is blamed, and what is skipped."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from schema import catalogue
from schema.catalogue import load
from schema.cli import main
from tests.schema.complete import COLOCATE
from tests.schema.complete import ROOT
from tests.schema.complete import SERVER

# --- Exit codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "github"])
def test_quiet_when_all_is_well(validate, preset, form):
    assert validate(preset(""), "colocate.yaml", "--format", form) == (0, "", "")


def test_error_is_1_and_warning_is_0(validate, preset):
    warned = validate(preset("custom: {a: yes}"))
    assert warned.code == 0
    assert warned.out.splitlines()[-2] == "1 warning in 1 file"
    refused = validate(preset("custom: {a: yes}\nglobal_max_length: 0"))
    assert refused.code == 1
    assert refused.out.splitlines()[-2] == "1 error, 1 warning in 1 file"
    assert refused.err == ""


UNUSABLE = {
    "not YAML": ("a: [1\n", "2:1", "invalid-yaml", "is not valid YAML"),
    "not a mapping": ("- model\n", "1:1", "invalid-yaml", "the root is not a mapping"),
    "binary": (
        b"\x7fELF\x02\x00",
        "1:1",
        "unreadable-file",
        "holds the control character '\\x7f': a binary file?",
    ),
    "not UTF-8": (b"PK\x03\xff\xfe", "1:4", "unreadable-file", "is not UTF-8 text"),
    "a number too long to write": (
        f"a: 0x{'F' * 5000}\n",
        "1:4",
        "invalid-yaml",
        "is not valid YAML: '0xFFFFFFFFFF...FFFFF",
    ),
    "NUL": ('a: "b\\0c"\n', "1:4", "invalid-yaml", "is not valid YAML: holds a NUL character"),
    "duplicate key": ("model: {}\nmodel: {}\n", "2:1", "invalid-yaml", "duplicate key 'model'"),
    "cyclic": (
        "extends: ./a.yaml\n",
        "1:10",
        "unresolved-base",
        "the files extend each other in a circle: a.yaml -> a.yaml",
    ),
    "missing base": ("extends: b.yaml\n", "1:10", "unresolved-base", "extends "),
    "DPO": (
        "rlhf:\n  rlhf_type: dpo\n",
        "2:14",
        "no-preset",
        "is no GRPO preset, but a preset of another algorithm",
    ),
    "SFT": (
        "model: {model: m}\ntraining: {seed: 1}\n",
        "1:1",
        "no-preset",
        "is no GRPO preset, but a preset of another algorithm",
    ),
    "foreign": (
        "targets: [a, b]\n",
        "1:1",
        "no-preset",
        "is no GRPO preset, but a file without any section of a preset",
    ),
    "empty": ("", "1:1", "no-preset", "is no GRPO preset, but a file without any section of a preset"),
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_file_is_a_finding_in_every_format_and_2(validate, write, content):
    text, place, rule, message = content
    file = write("a.yaml", text)
    for form in ("text", "concise"):
        ran = validate(file, "--format", form)
        assert (ran.code, ran.out.count("\n"), ran.err) == (2, 2, "")
        assert ran.out.startswith(f"a.yaml:{place}: error[{rule}] {message}")
    (found,) = validate(file, "--format", "json").findings
    assert (found["file"], f"{found['line']}:{found['column']}", found["rule"]) == ("a.yaml", place, rule)
    line, column = place.split(":")
    assert validate(file, "--format", "github").out.startswith(f"::error file=a.yaml,line={line},col={column},")
    (result,) = json.loads(validate(file, "--format", "sarif").out)["runs"][0]["results"]
    assert result["ruleId"] == rule
    asked = validate("--resolved", file)
    assert (asked.code, asked.out, asked.err.count("\n")) == (2, "", 1)
    assert asked.err.startswith(f"error: a.yaml:{place}: {message}")


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.yaml", "no such file or directory"), ("x" * 300, "file name too long")],
)
def test_what_is_no_file_gets_one_clear_message_and_2(validate, root, name, message):
    ran = validate(name)
    assert (ran.code, ran.out.count("\n"), ran.err) == (2, 2, "")
    assert ran.out.startswith(f"{name}:1:1: error[unreadable-file] ")
    assert message in ran.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "name at least one preset"),
        (["--rollout-gpus", "six", "server.yaml"], "'six' is neither a number of GPUs nor a list"),
        (["--train-gpus", "0,0", "server.yaml"], "GPU 0 is listed twice"),
        (["--swift-version", "9.9.9", "server.yaml"], "ms-swift 9.9.9 is not catalogued; the nearest"),
        (["--swift-version", "", "server.yaml"], "is not catalogued; the nearest"),
        (["--format", "xml", "server.yaml"], "'xml' is not one of"),
        (["--explain", "no-such-rule"], "there is no rule 'no-such-rule'"),
        (["--explain", "gpu-busy"], "`rollout-split explain all` also the checks of the machine"),
        (["--explain", "one-prt"], "there is no rule 'one-prt'; did you mean one-port?"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_wrong_usage_is_2(validate, preset, args, message):
    preset("")
    ran = validate(*args)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_pipe_beside_a_preset_is_not_waited_for(validate, write, root):
    os.mkfifo(root / "pipe.yaml")
    assert validate(write("base.yaml", "model: {model: m}\ntraining: {}\nrlhf: {rlhf_type: grpo}\n")).code == 1


def test_broken_catalogue_is_3(validate, preset, monkeypatch, tmp_path):
    preset("")
    monkeypatch.setattr(load, "DATA", tmp_path)
    ran = validate("server.yaml")
    assert ran.code == 3
    assert "releases.json cannot be used" in ran.err
    assert "defect" in ran.err


def test_the_other_files_are_still_checked(validate, preset, write):
    bad = preset("rlhf: {vllm_server_port: [0]}")
    write("broken.yaml", "a: [")
    write("dpo.yaml", "rlhf: {rlhf_type: dpo}")
    ran = validate(
        "broken.yaml", bad, "dpo.yaml", preset("global_max_length: 0", "other.yaml"), "--format", "json"
    )
    assert ran.code == 2
    assert [(found["file"], found["rule"]) for found in ran.findings] == [
        ("broken.yaml", "invalid-yaml"),
        ("preset.yaml", "one-port"),
        ("dpo.yaml", "no-preset"),
        ("other.yaml", "global-max-length"),
    ]


def test_all_findings_of_all_files_come_at_once_in_the_order_of_lines(validate, preset):
    one = preset("rlhf:\n  vllm_server_port: [0]\n  vllm_server_host: [a]\nglobal_max_length: 0", "one.yaml")
    two = preset("training:\n  zzz: 1", "two.yaml")
    found = validate(two, one, "--format", "json").findings
    assert [(finding["file"], finding["line"], finding["rule"]) for finding in found] == [
        ("two.yaml", 3, "unknown-key"),
        ("one.yaml", 3, "one-port"),
        ("one.yaml", 4, "one-loopback-host"),
        ("one.yaml", 5, "global-max-length"),
    ]


# --- Which file is blamed ---------------------------------------------------------------------------------------


def test_finding_is_placed_in_the_file_that_sets_the_value(validate, preset):
    preset("rlhf:\n  num_generations: 4\n  vllm_server_port:   [0]", "configs/middle.yaml", "../server.yaml")
    leaf = preset("rlhf:\n  temperature: 0.5", "configs/leaf.yaml", "middle.yaml")
    (found,) = validate(leaf, "--format", "json").findings
    assert (found["file"], found["line"], found["column"]) == ("configs/middle.yaml", 4, 23)


def test_finding_that_two_leaves_inherit_is_reported_once(validate, preset):
    preset("global_max_length: -1", "middle.yaml")
    leaves = [preset("", f"leaf{n}.yaml", "middle.yaml") for n in range(2)]
    assert len(validate(*leaves, "middle.yaml", "--format", "json").findings) == 1


def test_mended_value_of_a_base_is_no_finding(validate, preset):
    preset("global_max_length: -1", "middle.yaml")
    assert validate(preset("global_max_length: 4096", base="middle.yaml")).code == 0


def test_paths_are_shown_as_they_were_typed(validate, preset, root, monkeypatch):
    preset("global_max_length: 0", "a/leaf.yaml", "../server.yaml")
    link = root / "link.yaml"
    link.symlink_to("a/leaf.yaml")
    monkeypatch.chdir(root / "a")
    assert validate("../a/leaf.yaml").out.startswith("leaf.yaml:2:20: error")
    monkeypatch.chdir("/")
    assert validate(root / "a" / "leaf.yaml").out.startswith(f"{str(root)[1:]}/a/leaf.yaml:2:20: error")


def test_base_need_not_be_complete_where_another_file_extends_it(validate, write):
    write("below/base.yaml", "model: {model: m}\ntraining: {learning_rate: 1.0e-6}\nrlhf: {rlhf_type: grpo}\n")
    alone = validate("below/base.yaml", "--format", "json")
    assert {found["rule"] for found in alone.findings} == {"missing-key", "no-reward"}
    write("leaf.yaml", "extends: below/base.yaml\nrlhf: {reward_funcs: [accuracy]}\n")
    extended = validate("below/base.yaml", "--format", "json")
    assert extended.findings == []
    assert "missing-key" in validate("leaf.yaml").out


# --- What is skipped --------------------------------------------------------------------------------------------

FOREIGN = {
    "fusion.yaml": "targets:\n  - {name: a, ratio: 1.0}\nsources: []\n",
    "prompt.yaml": "system: You are a helpful assistant.\nuser: yes\n",
    "dpo.yaml": "rlhf: {rlhf_type: dpo}\n",
    "sft.yaml": "model: {model: m}\ntraining: {learning_rate: 1e-6}\n",
    "empty.yaml": "",
    "hydra.yaml": "model: {name: resnet}\ndata: {batch: 32}\ntraining: {epochs: 3, lr: 0.1}\n",
    "stage.yaml": "model: {path: out, device: cuda}\nprompts: {system: a.txt}\n",
    "documents.yaml": "a: 1\n---\nb: 2\n",
    "vault.yaml": "a: !vault |\n  x\n",
    "list.yaml": "- a\n",
    "broken.yaml": "a: [",
    "binary.yaml": b"\x7fELF\x02\x00",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_tool_is_passed_over_unless_it_is_named(validate, write, preset, name):
    write(name, FOREIGN[name])
    assert validate(name, PRE_COMMIT="1") == (0, "", "")
    ran = validate(name, "--format", "json")
    assert (ran.code, [each["rule"] in ("no-preset", *_INPUT) for each in ran.findings]) == (2, [True])
    preset("")
    said = f"passed over, because they are no GRPO presets: {name}\n"
    assert validate(".") == (0, "", said)


_INPUT = ("invalid-yaml", "unreadable-file")


@pytest.mark.parametrize(
    "content", ["rlhf: [", "a: [  # of swift", "extends: gone.yaml\nrlhf: {}", "vllm_mode: !x a"]
)
def test_a_broken_file_that_speaks_of_rollouts_is_a_finding_in_a_hook_too(validate, write, content):
    assert validate(write("broken.yaml", content), PRE_COMMIT="1").code == 2


@pytest.mark.parametrize("content", ["rlfh: {a: 1}", "rlhf: {num_generation: 5}", "model: {vllm_mod: 1}"])
def test_what_is_nearly_a_preset_is_one(validate, write, content):
    assert validate(write("x.yaml", content), PRE_COMMIT="1").code == 1


def test_hook_checks_components_of_presets_and_the_presets_that_extend_a_changed_file(validate, preset, write):
    write("part.yaml", "template: {max_pixel: 1}")
    assert validate("part.yaml", PRE_COMMIT="1") == (0, "", "")
    preset("", "middle.yaml", "[server.yaml, part.yaml]")
    preset("", "leaf.yaml", "middle.yaml")
    ran = validate("part.yaml", "--format", "json", PRE_COMMIT="1")
    (found,) = ran.findings
    assert (ran.code, found["file"], found["rule"]) == (1, "part.yaml", "unknown-key")
    assert found["presets"] == ["part.yaml", "middle.yaml", "leaf.yaml"]
    write("part.yaml", "rlhf: {num_generations: 5}\n")
    by_hand = validate("part.yaml", "--format", "json")
    assert (by_hand.code, by_hand.findings) == (0, [])
    broken = {
        (each["file"], each["rule"]) for each in validate("part.yaml", "--format", "json", PRE_COMMIT="1").findings
    }
    assert ("middle.yaml", "num-generations") in broken


def test_a_folder_stands_for_its_presets(validate, preset, write):
    preset("rlhf: {vllm_server_port: [0]}", "deep/one.yaml", "../server.yaml")
    preset("", "deep/two.yml", "../server.yaml")
    write("deep/.hidden/three.yaml", "rlhf: [")
    write("deep/own/pyproject.toml", ROOT)
    write("deep/own/four.yaml", SERVER.replace("[8080]", "[0]"))
    ran = validate("deep", "--format", "json")
    assert [(each["file"], each["rule"]) for each in ran.findings] == [
        ("deep/one.yaml", "one-port"),
        ("deep/own/four.yaml", "one-port"),
    ]
    assert (ran.code, ran.err) == (1, "")


def test_an_empty_folder_has_no_presets(validate, root):
    (root / "empty").mkdir()
    assert validate("empty") == (0, "", "there is no preset in the folder\n")


def test_a_preset_comes_on_standard_input(root, preset):
    preset("")
    text = "extends: server.yaml\nrlhf: {vllm_server_port: [0]}\n"
    ran = CliRunner().invoke(main, ["-", "--format", "concise"], input=text)
    assert ran.stdout.startswith("-:2:26: error[one-port]")
    assert ran.exit_code == 1
    assert CliRunner().invoke(main, ["-"], input="extends: server.yaml\n").exit_code == 0
    assert CliRunner().invoke(main, ["-"], input=b"\xff").exit_code == 2


def test_a_preset_on_standard_input_is_shown_as_a_file_is(preset, root):
    preset("")
    of_a_file = CliRunner().invoke(main, ["--resolved", "server.yaml"])
    ran = CliRunner().invoke(main, ["--resolved", "-"], input=Path("server.yaml").read_text())
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout == of_a_file.stdout.replace("server.yaml", "-")


def test_a_file_may_be_called_like_standard_input(preset, root):
    preset("")
    Path("-").write_text("extends: server.yaml\nrlhf: {vllm_server_port: [0]}\n")
    for spelling in ("./-", "././-", str(root / "-")):
        ran = CliRunner().invoke(main, [spelling, "--format", "concise"], input="extends: server.yaml\n")
        assert (ran.exit_code, ran.stdout[:23]) == (1, "-:2:26: error[one-port]"), ran.output


# --- The split and the target -----------------------------------------------------------------------------------


def rules(ran):
    return [found["rule"] for found in ran.findings]


def test_split_is_what_the_options_say_else_the_project_else_two_learners(validate, preset, write):
    leaf = preset(
        "training: {per_device_train_batch_size: 4, effective_batch_size: 8}\nrlhf: {generation_batch_size: 8}"
    )
    assert rules(validate(leaf, "--format", "json")) == []
    assert rules(validate(leaf, "--format", "json", "--train-gpus", "4,5,6")) == [
        "effective-batch-size",
        "generation-batch-size",
    ]
    assert rules(validate(leaf, "--format", "json", "--rollout-gpus", "8")) == ["rollout-gpus"]
    write("below/pyproject.toml", f"[tool.rollout-split]\ntrain-gpus = 1\nrollout-gpus = 2\n{ROOT}")
    write("below/preset.yaml", SERVER)
    assert rules(validate("below/preset.yaml", "--format", "json")) == ["rollout-gpus"]


def test_source_of_the_number_of_learners_is_named(validate, preset, write):
    leaf = preset("training: {effective_batch_size: 30}")
    assert "x W = 2 (the default; --train-gpus sets it) = 4" in validate(leaf).out
    assert "x W = 4 (--train-gpus) = 8" in validate(leaf, "--train-gpus", "4").out
    write("below/pyproject.toml", f"[tool.rollout-split]\ntrain-gpus = 2\n{ROOT}")
    write("below/preset.yaml", SERVER.replace("effective_batch_size: 32", "effective_batch_size: 30"))
    assert "x W = 2 (train-gpus in pyproject.toml) = 4" in validate("below/preset.yaml").out


def test_target_is_what_the_option_says_else_the_project_else_the_newest(validate, write):
    old = COLOCATE.replace("tuner_type", "train_type")
    write("preset.yaml", old)
    assert "ms-swift 3.12.0" not in validate("preset.yaml", "--swift-version", "3.12.0").out
    assert f"ms-swift {catalogue.newest()}: " in validate("preset.yaml").out
    write("below/pyproject.toml", '[tool.rollout-split]\nswift-version = "3.12.0"\n')
    write("below/preset.yaml", old)
    assert validate("below/preset.yaml").code == 0
    assert validate("below/preset.yaml", "--swift-version", "4.5.2").code == 1


def test_gym_is_the_servers_alone_before_the_learner_has_it(validate, preset):
    leaf = preset("custom: {extra: {rollout_server: {use_gym_env: true, gym_env: frozen_lake}}}")
    assert rules(validate(leaf, "--format", "json", "--swift-version", "4.2.3")) == []
    assert rules(validate(leaf, "--format", "json", "--swift-version", "4.3.0")) == ["not-a-server-field"] * 2


def test_context_manager_is_the_servers_before_it_is_refused(validate, preset):
    leaf = preset("custom: {extra: {rollout_server: {context_manager: dynamic}}}")
    assert rules(validate(leaf, "--format", "json", "--swift-version", "4.2.3")) == []
    assert rules(validate(leaf, "--format", "json", "--swift-version", "4.3.0")) == ["refused-field"]
    leaf = preset("custom: {extra: {rollout_server: {context_manager: [a, b]}}}")
    assert rules(validate(leaf, "--format", "json", "--swift-version", "4.2.3")) == ["wrong-server-type"]


# --- The real command -------------------------------------------------------------------------------------------


def test_installed_command(preset):
    command = Path(sys.executable).with_name("validate-config")
    bad, environment = preset("global_max_length: 0"), {**os.environ, "PRE_COMMIT": ""}

    def code(*args):
        return subprocess.run([command, *args], env=environment, capture_output=True, check=False).returncode

    assert [code("server.yaml"), code(bad), code("none.yaml")] == [0, 1, 2]


@pytest.fixture
def odd(preset, root):
    """The name of a preset that no terminal can show, and whose key not every one can."""
    preset("кадр: {}", "é.yaml")
    odd = os.fsdecode(b"\xff.yaml")
    (root / "é.yaml").rename(root / odd)
    return odd


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_what_the_terminal_cannot_show_is_escaped(odd, form):
    for encoding in ("ascii", "utf-8"):
        ran = CliRunner(charset=encoding).invoke(main, [odd, "--format", form])
        assert (ran.exit_code, ran.stderr) == (1, "")
        assert b"unknown-key" in ran.stdout_bytes


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_installed_command_escapes_what_its_terminal_cannot_show(odd, encoding):
    command = Path(sys.executable).with_name("validate-config")
    environment = {**os.environ, "PRE_COMMIT": "", "PYTHONIOENCODING": encoding}
    ran = subprocess.run([command, odd], env=environment, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert b"unknown-key" in ran.stdout


@pytest.mark.parametrize(
    "args", [["--explain", "all"], ["--resolved", "FILE"], ["FILE", "--swift-version", "3.10.0"]]
)
def test_output_that_nothing_takes_is_2(preset, args):
    words = [str(preset("rlhf: {num_generations: 3}")) if word == "FILE" else word for word in args]
    command = Path(sys.executable).parent / "validate-config"
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([command, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (2, "error: the output cannot be shown: no space left on device\n")


HEAVY = {"torch", "swift", "vllm", "transformers", "deepdiff", "numpy", "launch", "migrate"}
#: What a report needs that has findings.
TOLD = {"importlib.metadata", "schema.explained", "schema.report.text"}
RARE = {"pydantic", "pydantic_core", "ruamel", "tree_sitter"} | TOLD


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("custom: {a: 1}", set()),
        ("custom: {a: 127.0.0.1, b: ../x}", set()),
        ("custom: {a: yes}", {"ruamel"} | TOLD),
        ("custom: {a: 2024-01}", {"ruamel"}),
        ("rlhf: {num_generations: 3}", TOLD),
    ],
)
def test_validating_imports_what_it_needs(preset, text, needed):
    program = f"""
import sys
from schema.cli import main
try:
    main(["--swift-version", "4.5.2", "server.yaml", "colocate.yaml", "preset.yaml"])
finally:
    print("\\n" + " ".join(name for name in {sorted(HEAVY | RARE)} if name in sys.modules))
"""
    preset(text)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stderr, {*ran.stdout.splitlines()[-1].split()}) == ("", needed)


def test_pyyaml_compiles_no_pattern_that_no_text_needs(preset):
    program = f"""
from schema.cli import main
try:
    main([{str(preset("custom: {a: é}"))!r}])
finally:
    import copy, re, yaml
    pattern = yaml.reader.Reader.NON_PRINTABLE
    print(isinstance(pattern, re.Pattern), "search" in vars(pattern))
    print(isinstance(copy.copy(pattern), re.Pattern), pattern.search("a\\0").start())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False", "True", "1"]


def test_script_needs_a_parser_of_bash_and_no_pydantic(tmp_path):
    script = tmp_path / "x.sh"
    script.write_text("swift rlhf --rlhf_type grpo --model m --dataset d --reward_funcs accuracy\n")
    loaded = "[name for name in ('pydantic', 'tree_sitter') if name in sys.modules]"
    program = f"import sys; from schema.cli import main; main([{str(script)!r}], standalone_mode=False)"
    command = [sys.executable, "-c", f"try:\n {program}\nexcept SystemExit: print({loaded})"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "['tree_sitter']"


_WRONG = f"{SERVER}nobody: reads this\n"
_FLAT = "rlhf_type: grpo\nmodel: m\ndataset: d\nuse_vllm: true\nvllm_mode: colocate\nnum_generations: 3\n"
_SCRIPT = "swift rlhf --rlhf_type grpo --model m --use_vllm true --vllm_mode colocate --num_generations 3\n"


@pytest.mark.parametrize(
    ("text", "suffix"),
    [(SERVER, ".yaml"), (COLOCATE, ".yaml"), (_WRONG, ".yaml"), (_FLAT, ".yaml"), (_SCRIPT, ".sh")],
)
def test_circles_do_not_grow_with_files(validate, write, text, suffix):
    """The installed command has no collector, so that a circle of each file would stay in memory until the end."""

    def circles(number):
        files = [write(f"{number}/{each}{suffix}", text) for each in range(number)]
        gc.collect()
        gc.disable()
        try:
            validate(*files)
            return gc.collect()
        finally:
            gc.enable()

    circles(1)  # what a first call imports
    assert circles(20) - circles(2) < 18
