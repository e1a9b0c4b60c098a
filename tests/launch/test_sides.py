"""The server and the learner as an operator has them; `swift` and `torchrun` are stand-ins, all else is real."""

import contextlib
import http.server
import json
import os
import stat
import sys
import threading
from itertools import count

import pytest

from tests.launch.bench import REPO
from tests.launch.bench import end
from tests.launch.bench import free_port
from tests.launch.bench import until

SERVER = "grpo_rollout_server.sh"
LEARNER = "grpo_train_server_mode.sh"
SUMMARY = REPO / "configs/train/grpo/summary_1024.yaml"


@contextlib.contextmanager
def serving(handler, port):
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


# The server


def test_server_gets_its_words_as_they_are(bench):
    system = 'Say "it\'s"  $HOME `id`\n* é \\ end'
    bench.edit(
        "  template: qwen3\n", f"  template: qwen3\n  system: {json.dumps(system)}\n  response_prefix: '-x y'\n"
    )
    outer = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "8", "NPROC_PER_NODE": "8", "MASTER_PORT": "29500"}
    bench.server(**outer, CUDA_VISIBLE_DEVICES="5")
    recorded = bench.recorded("swift")
    argv = recorded["argv"]
    assert argv[1] == "rollout"
    assert argv[argv.index("--system") + 1] == system
    assert "--response_prefix=-x y" in argv
    assert argv[argv.index("--port") + 1] == str(bench.port)
    assert recorded["environment"]["CUDA_VISIBLE_DEVICES"] == "0"
    assert not outer.keys() & recorded["environment"].keys()


def test_server_runs_in_a_group_of_its_own_and_says_who_it_is(bench):
    process = bench.ready_server()
    recorded = bench.recorded("swift")
    assert os.getpgid(recorded["pid"]) == os.getpgid(recorded["engine"]) == recorded["pid"]
    assert stat.S_IMODE(bench.ready.stat().st_mode) == 0o600
    assert stat.S_IMODE(bench.state.stat().st_mode) == 0o700
    note = json.loads(bench.ready.read_text())
    assert (note["pid"], note["group"], note["launcher"]) == (recorded["pid"], recorded["pid"], process.pid)
    assert (note["server"]["port"], note["gpus"]) == (bench.port, ["0"])
    assert note["server"]["model"] == str(bench.model)


def test_server_is_announced_when_it_is_ready_and_not_before(bench):
    process = bench.server("show=quiet", STAND_IN_LOADS="2")
    bench.recorded("swift")
    until(bench.loading.exists)
    assert not bench.ready.exists()
    until(bench.is_announced)
    assert bench.healthy()
    process.terminate()
    code, _, err = end(process)
    assert (code, "ready after" in err) == (143, True)
    assert not bench.ready.exists()


def renewing(bench, side, gpus):
    """A launcher that renews its note all the time, not once an hour."""
    often = "from launch import state; state.RENEW = 0; from launch.cli import main; main()"
    words = [side, str(bench.preset), f"--gpus={gpus}", "--show=quiet"]
    return bench.start(sys.executable, "-c", often, *words)


@pytest.mark.parametrize("side", ["server", "learner"])
def test_note_that_a_cleaner_takes_is_left_anew(bench, side):
    if side == "learner":
        bench.ready_server()
    renewing(bench, side, {"server": 0, "learner": 1}[side])
    note = bench.state / f"{side}-{bench.port}.json"
    until(note.exists)
    bench.recorded({"server": "swift", "learner": "torchrun"}[side])
    note.unlink()
    until(note.exists)


def test_note_that_cannot_be_renewed_ends_no_server(bench):
    process = renewing(bench, "server", 0)
    until(bench.is_announced)
    for number in count():  # the launcher may make the folder again before the file is there
        bench.state.rename(bench.home / f"away-{number}")
        bench.state.touch()
        if bench.state.is_file():
            break
    until(lambda: any("cannot write its note again: " in line for line in process.stderr))
    assert bench.healthy()


def test_server_that_ends_by_itself_takes_its_engines_along(bench):
    code, _, err = end(bench.server(STAND_IN_EXIT="7"))
    assert code == 7, err
    assert bench.recorded("swift")["engine"] not in bench.left()
    assert not bench.left()
    assert not list(bench.state.glob("*"))


# The learner


def test_learner_waits_for_a_late_server_and_leaves_it_running(bench):
    learner = bench.learner(
        "wait_timeout=20", STAND_IN_SYNCS="2", STAND_IN_EXIT="5", CUDA_VISIBLE_DEVICES="0,1", RANK="3"
    )
    bench.server("show=quiet", STAND_IN_LOADS="1")
    code, _, recorded = end(learner)
    assert code == 5, recorded
    assert bench.healthy()
    recorded = bench.recorded("torchrun")
    assert recorded["argv"][1:5] == ["--standalone", "--nproc_per_node=1", "-m", "swift.cli.rlhf"]
    assert recorded["environment"]["CUDA_VISIBLE_DEVICES"] == "1"
    assert "RANK" not in recorded["environment"]


def test_learner_finds_the_server_of_another_shell(bench):
    bench.ready_server(TMPDIR=str(bench.home), XDG_RUNTIME_DIR=str(bench.home))
    code, _, err = end(bench.learner(STAND_IN_SYNCS="2", STAND_IN_EXIT="0"))
    assert (code, "the server's weights have changed" in err) == (0, True)


def test_learner_of_a_training_repository(bench):
    code, _, err = end(bench.learner("entry=my_repo.train", "health_check=false", STAND_IN_EXIT="0"))
    assert code == 0, err
    assert bench.recorded("torchrun")["argv"][3:] == ["-m", "my_repo.train", "--config", str(bench.preset)]


def test_learner_of_the_projects_training_repository(bench):
    (bench.home / "pyproject.toml").write_text('[tool.rollout-split]\nentry = "my_repo.train"\n')
    for script in (LEARNER, "train.sh"):
        code, out, err = end(bench.start(*bench.words(script, "gpus=1", "dry_run=true")))
        assert (code, f"-m my_repo.train --config {bench.preset}" in out) == (0, True), err
    _, out, _ = end(bench.learner("entry=swift.cli.rlhf", "dry_run=true"))
    assert "-m swift.cli.rlhf --model" in out


def test_learner_gives_up_on_a_server_that_loads_too_long(bench):
    bench.server("show=quiet", STAND_IN_LOADS="60")
    until(bench.loading.exists)
    code, _, err = end(bench.learner("wait_timeout=0.5"))
    assert (code, "waited 0.5 seconds; it is loading, see" in err) == (1, True)


def test_learner_gives_up_when_the_launcher_of_the_server_ends(bench):
    server = bench.server(STAND_IN_LOADS="60")
    bench.recorded("swift")
    learner = bench.learner("wait_timeout=60")
    line = until(lambda: next((line for line in learner.stderr if "waiting for" in line), None))
    assert "it is loading" in line
    server.terminate()
    end(server)
    code, _, err = end(learner)
    assert (code, f"its launcher, process {server.pid}, has ended" in err) == (1, True)


def test_learner_refuses_a_server_with_other_settings(bench):
    bench.ready_server()
    bench.edit("vllm_enforce_eager: true", "vllm_enforce_eager: false")
    code, _, err = end(bench.learner())
    assert (code, "its vllm_enforce_eager is true, and the preset says false" in err) == (1, True)


def test_learner_refuses_a_server_of_another_model(bench):
    bench.ready_server()
    (bench.home / "other").mkdir()
    bench.edit(str(bench.model), str(bench.home / "other"))
    code, _, err = end(bench.learner())
    assert (code, f"its model is {bench.model}, and the preset says {bench.home}/other" in err) == (1, True)


def test_learner_refuses_a_server_of_the_same_preset_in_another_folder(bench):
    bench.edit(str(bench.model), "model")
    bench.ready_server()
    (bench.home / "checkout/model").mkdir(parents=True)
    enter = ["bash", "-c", 'cd checkout && exec "$@"', "bash"]
    code, _, err = end(bench.start(*enter, *bench.words(LEARNER, "gpus=1")))
    expected = f"its model is {bench.home}/model, and the preset says {bench.home}/checkout/model"
    assert (code, expected in err) == (1, True)


@pytest.mark.parametrize(
    "change",
    [{"log": 7}, {"kind": "x"}, {"gpus": [1]}, {"gpus": 1}, {"pid": "1"}, {"server": {}}, {"port": 1}],
)
def test_note_that_is_damaged_vouches_for_nobody(bench, change):
    bench.ready_server()
    note = json.loads(bench.ready.read_text())
    bench.ready.write_text(json.dumps(note | change))
    code, _, err = end(bench.learner())
    assert (code, "no launcher on this node started" in err) == (1, True), err


def test_learner_trusts_a_server_on_the_operators_word(bench):
    bench.running_server()
    word = f"trust_server=127.0.0.1:{bench.port}"
    code, _, err = end(bench.learner(word, STAND_IN_SYNCS="2", STAND_IN_EXIT="0"))
    assert (code, "its model and its settings are not checked" in err) == (0, True)


def test_trust_is_given_by_name(bench):
    code, _, err = end(bench.learner("trust_server=127.0.0.1:1"))
    assert (code, f"but the preset's server is 127.0.0.1:{bench.port}" in err) == (2, True)


def test_learner_refuses_a_trusted_server_of_another_size(bench):
    bench.running_server(STAND_IN_WORLD="3")
    code, _, err = end(bench.learner(f"trust_server=127.0.0.1:{bench.port}"))
    assert (code, "its world size is 3, and the preset says 1" in err) == (
        1,
        True,
    )


def test_learner_refuses_what_only_looks_healthy(bench):
    with serving(Healthy, bench.port):
        code, _, err = end(bench.learner(f"trust_server=127.0.0.1:{bench.port}"))
    assert (code, "generates nothing: HTTP 501" in err) == (1, True)


def test_learner_refuses_a_trusted_server_without_an_engine(bench):
    bench.running_server(STAND_IN_NO_ENGINE="1")
    code, _, err = end(bench.learner(f"trust_server=127.0.0.1:{bench.port}"))
    assert (code, "what answers /health/ generates nothing: HTTP 500" in err) == (1, True)


def test_learner_refuses_the_gpu_of_a_server(bench):
    bench.server("show=quiet", STAND_IN_LOADS="60")
    bench.recorded("swift")
    code, _, err = end(bench.launch("learner", "gpus=0"))
    assert (code, "error[shared-gpu] GPU 0 is used by a rollout server that is loading" in err) == (1, True)
    assert not (bench.home / "torchrun.json").exists()


def test_second_learner_is_refused(bench):
    bench.ready_server()
    first = bench.learner("show=quiet")
    bench.recorded("torchrun")
    code, _, err = end(bench.launch("learner", "gpus=2"))
    assert (code, f"is used by a learner of launcher {first.pid}" in err) == (1, True)


def test_one_of_two_learners_that_waited_together_is_refused(bench):
    both = [bench.launch("learner", f"gpus={gpu}", "show=quiet") for gpu in (1, 2)]
    for learner in both:
        until(lambda err=learner.stderr: any("waiting for" in line for line in err))
    bench.ready_server()
    until(lambda: any(learner.poll() is not None for learner in both))
    first, second = sorted(both, key=lambda learner: learner.poll() is not None)
    code, _, err = end(second)
    assert (code, "error[second-job]" in err, "is used by a learner of launcher" in err) == (1, True, True)
    bench.recorded("torchrun")
    assert first.poll() is None


def test_learner_without_a_health_check(bench):
    code, _, err = end(bench.learner("health_check=false", STAND_IN_EXIT="0"))
    assert code == 0, err
    assert bench.recorded("torchrun")


def test_learner_asks_past_a_proxy(bench):
    bench.ready_server()
    proxy = f"http://127.0.0.1:{free_port()}"
    words = {"http_proxy": proxy, "no_proxy": "example.com", "STAND_IN_SYNCS": "2", "STAND_IN_EXIT": "0"}
    code, _, err = end(bench.learner(**words))
    assert (
        code,
        "warning[proxied-loopback] http_proxy would send requests to 127.0.0.1 through a proxy" in err,
    ) == (0, True)
    environment = bench.recorded("torchrun")["environment"]
    assert environment["http_proxy"] == proxy
    assert environment["no_proxy"] == environment["NO_PROXY"] == "example.com,127.0.0.1"


def test_train_becomes_torchrun(bench):
    process = bench.start(*bench.words("train.sh", "gpus=1"), WORLD_SIZE="4")
    recorded = bench.recorded("torchrun")
    assert recorded["pid"] == process.pid
    assert "WORLD_SIZE" not in recorded["environment"]
    process.terminate()
    assert end(process)[0] == 1
