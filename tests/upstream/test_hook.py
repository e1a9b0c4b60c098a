"""The hooks in real pre-commit, which installs this repository as it does for its users.

It takes HEAD with what was changed since in files that git knows; `git add` makes a new file known.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import NamedTuple

import pytest
import yaml

from tests.upstream.oracle import ROOT
from tests.upstream.verdicts import TABLES

PRE_COMMIT = ROOT / ".venv-upstream-hook/bin/pre-commit"
BASE = "configs/base.yaml"
SUMMARY = "configs/train/grpo/summary_1024.yaml"
RECALL = "configs/train/grpo/summary_1024_attr_key_recall.yaml"
#: With these, pre-commit spreads the presets over several processes, unless a hook says `require_serial`.
WIDE = {
    f"configs/train/grpo/wide_{number}.yaml": "extends: summary_1024.yaml\n"
    f"rlhf: {{num_generations: {number}}}\n"
    "training: {per_device_eval_batch_size: 16}\n"
    for number in (8, 16, 32)
}


def tree(folder):
    """A repository of presets: texts by name."""
    return {name: (folder / name).read_text() for name in ("pyproject.toml", BASE, SUMMARY, RECALL)} | WIDE


def script(example):
    return {"scripts/grpo.sh": (ROOT / "tests/examples/rules" / example).read_text()}


SERVER, COLOCATE = tree(ROOT), tree(ROOT / "tests/presets/colocate")
FOREIGN = {
    ".github/workflows/tests.yml": "on: {push: {branches: [main]}}\njobs: {tests: {runs-on: ubuntu-latest}}\n",
    "chart/templates/map.yaml": "{{- if .Values.on }}\ndata: {{ .Values.data }}\n{{- end }}\n",
    "conf/config.yaml": "defaults: [{model: large}, _self_]\nhydra: {run: {dir: '${now:%Y-%m-%d}'}}\n",
    "fetch.sh": '#!/bin/sh\nfor name in *.tar; do tar -xf "$name"; done\n',
    "group_vars/all.yml": "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231\n",
    "service.yaml": "kind: Service\n---\nkind: Deployment\n",
}


def changed(name, old, new):
    assert old in SERVER[name]
    return {name: SERVER[name].replace(old, new)}


#: What is there, and what a commit is to add or change.
COMMITS = {
    "a good tree": ({}, SERVER | script("shell-words/good/continued.sh")),
    "a bad tree": (SERVER, changed(RECALL, "    0.2,\n", "") | script("server-address/bad/script.sh")),
    "a base alone": (SERVER, changed(SUMMARY, "generation_batch_size: 32", "generation_batch_size: 40")),
    "foreign files": (SERVER, FOREIGN),
}
#: What pre-commit shows of a hook that has run, up to the next one.
SHOWN = re.compile(
    r"^[^\n]+\.{3}(?:Passed|Failed)\n- hook id: (\S+)\n- duration: (\S+)s\n(?:- exit code: (\d+)\n)?"
    r"(.*?)(?=^[^\n]+\.{3}\S*(?:Passed|Failed|Skipped)$|\Z)",
    re.MULTILINE | re.DOTALL,
)


class Ran(NamedTuple):
    """How a hook ended: its exit code, and all that it printed on either stream."""

    code: int
    said: str


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def staged(folder, there, added):
    """A repository that has some files, and others in its index."""
    folder.mkdir()
    git(folder, "init")
    put(folder, there)
    author = ("-c", "user.name=Author", "-c", "user.email=author@example.com")
    git(folder, *author, "commit", "--no-verify", "--no-gpg-sign", "--allow-empty", "--message", "Presets")
    put(folder, added)
    return folder


def put(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")


def pre_commit(subject, folder, *words, **environment):
    """How each hook ended, by its id; a line at the end of the tests tells how long it took."""
    assert PRE_COMMIT.exists(), "no pre-commit: run tests/upstream/setup.sh"
    start = monotonic()
    done = subprocess.run(
        [PRE_COMMIT, *words, "--verbose", "--color", "never"],
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    took, shown = monotonic() - start, SHOWN.findall(done.stdout)
    assert shown, done.stdout + done.stderr
    assert done.returncode == any(code for _, _, code, _ in shown)
    each = ", ".join(f"{hook} {seconds} s" for hook, seconds, _, _ in shown)
    TABLES.append(f"pre-commit {words[0]}, {subject}: {each}; all {took:.1f} s")
    return {hook: Ran(int(code or 0), said.strip()) for hook, _, code, said in shown}


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """What `pre-commit try-repo` says of each commit; it installs at each call, hence beside each other."""
    folder = tmp_path_factory.mktemp("tried")

    def try_repo(subject):
        commit = staged(folder / subject, *COMMITS[subject])
        return pre_commit(subject, commit, "try-repo", ROOT, "validate-config")["validate-config"]

    with ThreadPoolExecutor() as pool:
        return dict(zip(COMMITS, pool.map(try_repo, COMMITS), strict=True))


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """Runs the hooks as docs/editors.md configures them; pre-commit installs them once."""
    folder = tmp_path_factory.mktemp("configured")
    (example,) = re.findall(r"```yaml\n(repos:.*?)```", (ROOT / "docs/editors.md").read_text(), re.DOTALL)
    config = yaml.safe_load(example)
    # A commit of what was changed since HEAD, which no branch gets.
    revision = git(ROOT, "stash", "create") or git(ROOT, "rev-parse", "HEAD")
    config["repos"][0] |= {"repo": str(ROOT), "rev": revision}

    def run(subject, files):
        commit = staged(folder / subject, {}, files | {".pre-commit-config.yaml": yaml.safe_dump(config)})
        return pre_commit(subject, commit, "run", PRE_COMMIT_HOME=str(folder / "home"))

    return run


@pytest.mark.parametrize("subject", ["a good tree", "foreign files"])
def test_what_is_right_and_what_is_foreign_pass_quietly(tried, subject):
    assert tried[subject] == (0, "")


def errors(said):
    return re.findall(r"^(\S+):\d+:\d+: error\[(\S+)\]", said, re.MULTILINE)


def test_what_is_wrong_is_shown(tried):
    code, said = tried["a bad tree"]
    assert code == 1
    assert errors(said) == [(RECALL, "reward-weights"), ("scripts/grpo.sh", "server-address")]


def test_a_base_alone_fails_because_of_what_extends_it(tried):
    code, said = tried["a base alone"]
    assert code == 1
    wide = [f"configs/train/grpo/wide_{number}.yaml" for number in (16, 32)]
    assert errors(said) == [(name, "num-generations") for name in wide]
    assert f"generation_batch_size 40 ({SUMMARY}:" in said


def test_presets_in_server_mode_pass_both_hooks(configured):
    assert configured("server", SERVER) == {"validate-config": (0, ""), "migrate-config": (0, "")}


def test_presets_in_colocate_mode_fail_the_second_hook(configured):
    ran = configured("colocate", COLOCATE)
    assert ran["validate-config"] == (0, "")
    assert ran["migrate-config"] == (1, f"{SUMMARY}: would be migrated\n{RECALL}: would be migrated")
