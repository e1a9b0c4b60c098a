"""What a start leaves to read: its logs, what was run, and no secret."""

import json
import os
import subprocess

import pytest
import yaml

from tests.launch.bench import end

KEY = "c0ffee-c0ffee"


def keyed(bench, key):
    """Gives the preset's server a key, as YAML."""
    bench.edit("      vllm_enforce_eager: true", f"      api_key: {key}\n      vllm_enforce_eager: true")


def folder(bench, side):
    return bench.logs / f"latest-{side}"


def test_each_start_has_a_folder_and_latest_is_the_newest(bench):
    for expected in (1, 2):
        code, _, err = end(bench.learner("health_check=false", STAND_IN_EXIT="0"))
        folders = [file for file in bench.logs.iterdir() if file.is_dir() and not file.is_symlink()]
        newest = (bench.logs / "latest").resolve()
        assert (code, len(folders)) == (0, expected)
        assert (
            newest == folder(bench, "learner").resolve() == max(folders, key=lambda file: (len(file.name), file))
        )
        assert f"logs in {newest}" in err
    assert (bench.logs / ".gitignore").read_text() == "*\n"


def test_what_has_the_name_of_a_link_stays_as_it_is(bench):
    (bench.logs / "latest-learner").mkdir(parents=True)
    (bench.logs / "latest").write_text("precious")
    code, _, err = end(bench.learner("health_check=false", STAND_IN_EXIT="0"))
    assert code == 0
    for name in ("latest", "latest-learner"):
        assert f"{name} does not point at the newest logs: it is not a link, and was left as it is" in err
    assert (bench.logs / "latest").read_text() == "precious"


def test_paths_that_are_not_utf_8(bench):
    odd = os.fsdecode(b"\xff odd\n")
    bench.preset = bench.preset.rename(bench.home / f"{odd}.yaml")
    code, _, err = end(bench.learner("health_check=false", f"logs={odd}", STAND_IN_EXIT="0"))
    assert code == 0, err
    assert os.fsencode(odd) in (bench.home / odd / "latest/launcher.log").read_bytes()
    shown = bench.home / "shown"
    with shown.open("wb") as file:
        words = bench.words("train.sh", "gpus=1", "entry=a.b", "dry_run=true")
        assert bench.start(*words, output=file).wait(timeout=30) == 0
    assert shown.read_text().rstrip("\n").isprintable()
    read = subprocess.run(["bash", "-c", b"printf %s " + shown.read_bytes()], capture_output=True, check=True)
    assert os.fsencode(bench.preset) in read.stdout


@pytest.mark.parametrize(("show", "shown"), [("live", True), ("quiet", False)])
def test_output_is_logged_and_shown_as_wished(bench, show, shown):
    code, out, err = end(bench.server(f"show={show}", "logs=here", STAND_IN_CHATS="2", STAND_IN_EXIT="4"))
    log = (bench.home / "here/latest/output.log").read_text()
    assert code == 4
    assert log.count("chatchat") == 2 * 8
    assert (out == log) is shown
    assert ("chatchat" in err) is not shown  # then the last lines tell what happened
    assert "ended with 4 before it was ready" in (bench.home / "here/latest/launcher.log").read_text()


def test_what_was_run_is_kept(bench):
    server = bench.ready_server(NCCL_DEBUG="INFO", RANK="1", UNRELATED="x")
    kept = json.loads((folder(bench, "server") / "plan.json").read_text())
    recorded = bench.recorded("swift")
    assert kept["command"][1:] == recorded["argv"][1:]
    assert kept["gpus"] == ["0"]
    assert kept["environment"]["CUDA_VISIBLE_DEVICES"] == "0"
    assert kept["environment"]["NCCL_DEBUG"] == "INFO"
    assert "UNRELATED" not in kept["environment"]
    assert kept["not_inherited"] == ["RANK"]
    assert kept["versions"]["ms-swift"] == "4.5.2"
    assert yaml.safe_load((folder(bench, "server") / "preset.yaml").read_text()) == yaml.safe_load(
        bench.preset.read_text()
    )
    server.terminate()
    end(server)


def test_secrets_are_not_kept(bench):
    bench.edit("  model_type: qwen3", "  hub_token: hush-1\n  model_type: qwen3")
    secrets = {"WANDB_API_KEY": "hush-2", "https_proxy": "http://me:hush-3@proxy:3128"}
    code, _, err = end(bench.learner("health_check=false", STAND_IN_EXIT="0", **secrets))
    assert code == 0, err
    assert bench.recorded("torchrun")["environment"]["WANDB_API_KEY"] == secrets["WANDB_API_KEY"]
    kept = [file.read_text() for file in folder(bench, "learner").iterdir()]
    assert not any("hush" in text for text in kept)
    assert any("http://***@proxy:3128" in text for text in kept)


@pytest.mark.parametrize("where", ["shell", "preset"])
@pytest.mark.parametrize("side", ["server", "learner"])
def test_key_is_on_no_command_line(bench, side, where):
    variables = {"ROLLOUT_SPLIT_API_KEY": KEY} if where == "shell" else {}
    if where == "preset":
        keyed(bench, KEY)
    code, out, err = end(getattr(bench, side)("dry_run=true", **variables))
    assert (code, KEY in out + err) == (0, False)
    assert {"server": "starters/rollout.py --model", "learner": "starters/learner.py swift.cli.rlhf"}[side] in out


def test_key_goes_to_the_learner_alone(bench):
    words = {"ROLLOUT_SPLIT_API_KEY": KEY, "STAND_IN_EXIT": "0"}
    code, _, err = end(bench.learner("health_check=false", **words))
    assert code == 0, err
    environment = bench.recorded("torchrun")["environment"]
    assert environment["ROLLOUT_SPLIT_API_KEY"] == KEY
    assert environment["ROLLOUT_SPLIT_ORIGIN"] == f"http://127.0.0.1:{bench.port}"
    assert not any(KEY in file.read_text() for file in folder(bench, "learner").iterdir())


def test_key_that_guards_nothing(bench):
    code, _, err = end(bench.server("preflight_only=true", ROLLOUT_SPLIT_API_KEY=KEY))
    assert (code, "error[key-unguarded] the server has a key, but ms-swift 4.5.2 does not ask for it" in err) == (
        1,
        True,
    )
    assert KEY not in err


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", "clé"])
@pytest.mark.parametrize("where", ["shell", "preset"])
def test_key_that_no_header_carries(bench, key, where):
    variables = {"ROLLOUT_SPLIT_API_KEY": key} if where == "shell" else {}
    if where == "preset":
        keyed(bench, json.dumps(key))
    code, out, err = end(bench.server("dry_run=true", **variables))
    assert (code, "must be printable ASCII without blanks around it" in err) == (2, True)
    assert key.strip() not in out + err


@pytest.mark.parametrize("key", ["12345678", "[c0ffee]", "0123456789", "12e45"])
def test_key_that_is_written_wrongly_stands_in_no_message(bench, key):
    keyed(bench, key)
    _, out, err = end(bench.server("dry_run=true"))
    assert "preset.yaml:74:16: " in err
    assert not any(text in out + err for text in (key.strip("[]"), key.lstrip("0")))


def test_key_that_others_may_read(bench):
    keyed(bench, KEY)
    bench.preset.chmod(0o644)
    assert "warning[key-exposed]" in end(bench.learner("preflight_only=true"))[2]
    bench.preset.chmod(0o600)
    assert "key-exposed" not in end(bench.learner("preflight_only=true"))[2]
