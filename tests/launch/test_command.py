"""rollout-split itself, where there is no clone; and the scripts, which only translate their words for it."""

import contextlib
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from launch import cli
from launch.argv.entry import NEEDS_ENTRY
from launch.options import Request
from launch.preflight import CHECKS
from launch.run.codes import Code
from schema.rules import RULES
from schema.split.gpus import Gpus
from tests.launch.bench import REPO
from tests.launch.bench import SMOKE
from tests.launch.bench import end
from tests.launch.sizing.cases import CONFIGS

SIDES = ("server", "learner", "train")
SCRIPTS = {"server": "grpo_rollout_server.sh", "learner": "grpo_train_server_mode.sh", "train": "train.sh"}
KNOWN: dict[str, Any] = {NEEDS_ENTRY.id: NEEDS_ENTRY, **CHECKS}
TEXT = st.text(max_size=20)


def asked(side, *words):
    """What a call asks for."""
    group = cli.main.make_context("rollout-split", [side])
    context = cli.main.commands[side].make_context(side, ["a b.yaml", "--gpus", "6", *words], parent=group)
    return Request(side, **context.params)


def run(*words):
    ran = CliRunner().invoke(cli.main, [str(word) for word in words])
    return ran.exit_code, ran.stdout, ran.stderr


# What is asked for


@pytest.mark.parametrize("side", SIDES)
def test_defaults_are_those_of_a_request(side):
    assert asked(side) == Request(side, Path("a b.yaml"), Gpus(1, ("6",)))


def test_all_options_of_a_learner():
    wanted = {
        "--entry=a.b": ("entry", "a.b"),
        "--wait-timeout=1.5": ("wait_timeout", 1.5),
        "--no-health-check": ("health_check", False),
        "--no-weights-check": ("weights_check", False),
        "--trust-server=[::1]:8080": ("trust_server", ("::1", 8080)),
        "--dry-run": ("dry_run", True),
        "--preflight-only": ("preflight_only", True),
        "--release-wait=2.5": ("release_wait", 2.5),
        "--allow=gpu-busy,port-taken": ("allow", frozenset({"gpu-busy", "port-taken"})),
        "--logs=here": ("logs", Path("here")),
        "--show=quiet": ("show", "quiet"),
        "--swift=s": ("swift", "s"),
        "--python=p": ("python", "p"),
    }
    request = asked("learner", *wanted)
    assert {name: getattr(request, name) for name, _ in wanted.values()} == dict(wanted.values())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing command"),
        (["serve"], "No such command 'serve'"),
        (["--no-such-option"], "No such option"),
        (["server"], "Missing argument 'CONFIG'"),
        (["server", ""], "Invalid value for 'CONFIG': it is empty"),
        (["server", SMOKE], "Missing option '--gpus'"),
        (["server", SMOKE, "--gpus", "0", "more"], "unexpected extra argument"),
        (["server", SMOKE, "--gpus", ""], "Invalid value for '--gpus': it is empty"),
        (["server", SMOKE, "--gpus", "0,x"], "'0,x' is neither a number of GPUs nor a list"),
        (["server", SMOKE, "--gpus", "5-0"], "5-0 is not a range of GPUs: it runs backwards; write 0-5"),
        (["server", SMOKE, "--gpus", "0-2,1"], "GPU 1 is listed twice in '0-2,1'"),
        (["server", SMOKE, "--gpus", "0", "--wait-timeout", "3"], "--wait-timeout"),
        (["server", SMOKE, "--gpus", "0", "--entry", "a.b"], "--entry"),
        (["train", SMOKE, "--gpus", "0", "--logs", "a"], "--logs"),
        (["learner", SMOKE, "--gpus", "0", "--trust-server", "8080"], "'8080' is not HOST:PORT"),
        (["learner", SMOKE, "--gpus", "0", "--trust-server", "a:b"], "'a:b' is not HOST:PORT"),
        (["learner", SMOKE, "--gpus", "0", "--show", "never"], "'never' is not one of 'live', 'quiet'"),
        (["learner", SMOKE, "--gpus", "0", "--swift", ""], "Invalid value for '--swift': it is empty"),
        (["learner", SMOKE, "--gpus", "0", "--logs", ""], "Invalid value for '--logs': it is empty"),
        (["learner", SMOKE, "--gpus", "0", "--wait-timeout", "-1"], "'-1' is not a number of seconds"),
        (["learner", SMOKE, "--gpus", "0", "--release-wait", "inf"], "'inf' is not a number of seconds"),
        (["explain"], "Missing argument 'ID|all'"),
        (["explain", "no-such-check"], "there is no rule 'no-such-check'"),
    ],
)
def test_wrong_usage_is_2(words, message):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err


@given(st.sampled_from(SIDES), st.lists(st.one_of(TEXT, TEXT.map("--{}".format))))
def test_any_words_are_read_or_refused(side, words):
    with contextlib.suppress(click.UsageError, click.exceptions.Exit), contextlib.redirect_stdout(io.StringIO()):
        assert asked(side, *words).side == side


# Without a clone


@pytest.mark.parametrize(
    ("side", "gpus", "begins"),
    [
        ("server", "0-0", "CUDA_VISIBLE_DEVICES=0 swift rollout --model "),
        ("learner", "1", "CUDA_VISIBLE_DEVICES=1 torchrun --standalone --nproc_per_node=1 -m swift.cli.rlhf "),
        ("train", "1,", "CUDA_VISIBLE_DEVICES=1 torchrun --standalone --nproc_per_node=1 -m swift.cli.rlhf "),
    ],
)
def test_a_dry_run_needs_nothing_of_a_clone(bench, side, gpus, begins):
    code, out, _ = end(bench.start("rollout-split", side, bench.preset, "--gpus", gpus, "--dry-run"))
    assert (code, out.startswith(begins), out.count("\n")) == (0, True, 1)


def test_a_range_is_as_many_gpus(bench):
    bench.preset = REPO / "configs/train/grpo/summary_1024.yaml"
    words = ("server", bench.preset, "--gpus", "0-5", "--dry-run")
    assert "CUDA_VISIBLE_DEVICES=0,1,2,3,4,5 " in end(bench.start("rollout-split", *words))[1]


@pytest.mark.parametrize("words", [[], ["server"], ["learner"], ["train"], ["explain"]])
@pytest.mark.parametrize("asks", ["--help", "-h"])
def test_everything_has_a_help(words, asks):
    code, out, err = run(*words, asks)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: ")
    assert ("Exit status:" in out) is (words in ([side] for side in SIDES))


def test_every_exit_code_of_our_own_is_told():
    helps = [run(side, "--help")[1] for side in SIDES]
    assert all(any(f"\n    {code.value}   " in text for text in helps) for code in Code)


HEAVY = {"torch", "swift", "vllm", "transformers", "deepdiff", "migrate", "numpy", "pydantic", "ruamel"}


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], HEAVY | {"yaml"}),
        (["plan", str(SMOKE), "--gpus=2", "--gpu-memory=80", f"--model={CONFIGS / 'qwen3-4b.json'}"], HEAVY),
    ],
    ids=["help", "plan"],
)
def test_what_need_not_be_imported_is_not(words, heavy):
    program = f"""
import sys
from launch.cli import main
try:
    main({words})
finally:
    print([name for name in {sorted(heavy)} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


# Findings are explained


def test_explain_all_lists_every_rule_and_check():
    code, out, _ = run("explain", "all")
    listed = [line.split() for line in out.splitlines() if line.startswith(" ")]
    names = [name for name, *_ in listed]
    assert (code, names[: len(RULES)], names[-len(KNOWN) :]) == (0, [*RULES], [*KNOWN])
    assert all(len(words) > 3 for words in listed)


@pytest.mark.parametrize("name", [NEEDS_ENTRY.id, *CHECKS])
def test_a_check_is_explained(name):
    code, out, _ = run("explain", name)
    head, *body = out.splitlines()
    assert (code, head) == (0, f"{name} ({KNOWN[name].severity.value})")
    assert "".join(body).strip()


# The scripts


#: Stands for rollout-split, and shows the words that reach it.
ECHO = """#!/usr/bin/env bash
printf '<%s>' "$@"
"""


@pytest.fixture
def translated(bench):
    """What rollout-split is given for a script's words."""
    echo = bench.home / "bin/rollout-split"
    echo.write_text(ECHO)
    echo.chmod(0o755)
    return lambda script, *words: end(bench.start("bash", str(REPO / "scripts" / script), *words))


@pytest.mark.parametrize(("side", "script"), SCRIPTS.items())
def test_a_script_is_a_command_of_rollout_split(translated, side, script):
    assert translated(script, "gpus=0-5", "config=a.yaml") == (0, f"<{side}><--gpus=0-5><--><a.yaml>", "")


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("dry_run=true", "<--dry-run>"),
        ("dry_run=false", ""),
        ("dry_run=yes", "<--dry-run=yes>"),
        ("preflight_only=true", "<--preflight-only>"),
        ("health_check=true", "<--health-check>"),
        ("health_check=false", "<--no-health-check>"),
        ("weights_check=false", "<--no-weights-check>"),
        ("wait_timeout=5", "<--wait-timeout=5>"),
        ("python=true", "<--python=true>"),
        ("swift=", "<--swift=>"),
        ("no_such_key=a=b", "<--no-such-key=a=b>"),
    ],
)
def test_each_word_becomes_one_option(translated, word, options):
    assert translated("grpo_train_server_mode.sh", word)[1] == f"<learner>{options}"


@pytest.mark.parametrize(
    "value", ["a b", "it's", '"a"', "*", "a*b?", "-c", "--help", "$HOME", "`id`", "a\nb", "é"]
)
def test_values_are_as_they_are(translated, value):
    for key, options in (("logs", f"<--logs={value}>"), ("config", f"<--><{value}>")):
        assert translated("train.sh", f"{key}={value}") == (0, f"<train>{options}", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["config"], "config is not of the form key=value; pass --help to see how to call it"),
        (["config gpus=1"], "config\\ gpus=1 is not of the form key=value"),
        (["--wait-timeout=3"], "--wait-timeout=3 is not of the form key=value"),
        (["=3"], "=3 is not of the form key=value"),
        (["a[$(touch evil)]=1"], "is not of the form key=value"),
        (["gpus=0", "gpus=1"], "gpus is given twice"),
        (["dry_run=true", "dry_run=false"], "dry_run is given twice"),
        (["swift=", "swift="], "swift is given twice"),
    ],
)
def test_words_that_mean_nothing_are_refused(translated, words, message):
    code, out, err = translated("train.sh", *words)
    assert (code, out, message in err) == (2, "", True), err


@pytest.mark.parametrize(("side", "script"), SCRIPTS.items())
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_of_a_script_tells_its_words_and_names_the_command(translated, side, script, word):
    code, out, err = translated(script, word)
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: bash scripts/{script} config=PATH gpus=LIST")
    assert f"`rollout-split {side} --help` explains all options and exit codes" in out


def test_without_rollout_split(bench):
    project = bench.home / "project"
    shutil.copytree(REPO / "scripts", project / "scripts")
    path = bench.environment["PATH"]
    bench.environment["PATH"] = "/usr/bin:/bin"
    launch = ["bash", str(project / "scripts/train.sh"), f"config={bench.preset}", "gpus=1", "dry_run=true"]
    code, _, err = end(bench.start(*launch))
    assert (code, "rollout-split is neither on PATH nor at" in err) == (2, True)

    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/rollout-split").symlink_to(shutil.which("rollout-split", path=path))
    code, out, _ = end(bench.start(*launch))
    assert (code, f"--vllm_server_port {bench.port} " in out) == (0, True)
