"""The extraction as a whole: wheels in the cache and on an index, the command, its drifts."""

import http.server
import json
import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from schema import catalogue
from schema.catalogue import load
from tools.extract import drift
from tools.extract.__main__ import main
from tools.extract.remote import open_wheel

README = "| transformers | >=4.33 | 4.57.6/5.12.1 | |\n| vllm | >=0.5.1 | 0.11.0/9.1.0 | Inference |\n"

SWIFT = {
    "ms_swift-9.0.0.dist-info/METADATA": README,
    "swift/arguments/__init__.py": "from .rlhf_args import RLHFArguments, RolloutArguments",
    "swift/arguments/rlhf_args.py": """
from dataclasses import dataclass
from transformers import TrainingArguments as HfTrainingArguments

@dataclass
class RolloutArguments:
    port: int = 8000

@dataclass
class RLHFArguments(HfTrainingArguments):
    beta: float = 0.1
""",
    "swift/rewards/orm.py": "orms = {'format': Format, 'accuracy': Accuracy}",
}

TRANSFORMERS = {
    "transformers/__init__.py": "from .training_args import TrainingArguments",
    "transformers/training_args.py": """
from dataclasses import dataclass

@dataclass
class TrainingArguments:
    seed: int = 42
""",
}

VLLM = {
    "vllm/config.py": "class ModelConfig:\n    dtype: str = 'auto'",
    "vllm/engine/arg_utils.py": """
from dataclasses import dataclass
from vllm.config import ModelConfig

@dataclass
class EngineArgs:
    dtype: str = ModelConfig.dtype

@dataclass
class AsyncEngineArgs(EngineArgs):
    enable_log_requests: bool = False
""",
    "vllm/ballast.so": "0" * 3_000_000,
}


def wheel(folder, name, files):
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


class Index(http.server.BaseHTTPRequestHandler):
    """A package index whose files are read by ranges."""

    folder: Path
    sent = 0

    def do_GET(self):
        if self.path.startswith("/simple/"):
            names = sorted(path.name for path in self.folder.iterdir())
            self.answer(json.dumps({"files": [{"filename": name, "url": self.url(name)} for name in names]}))
        else:
            content = (self.folder / self.path.strip("/")).read_bytes()
            start, end = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            self.answer(content[start : end + 1], f"bytes {start}-{end}/{len(content)}")

    def url(self, name):
        return f"http://{self.headers['Host']}/{name}"

    def answer(self, body, content_range=None):
        content = body.encode() if isinstance(body, str) else body
        type(self).sent += len(content)
        self.send_response(206 if content_range else 200)
        self.send_header("Content-Length", str(len(content)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index on this machine that has one vLLM release, and that pip is configured for."""
    Index.folder, Index.sent = tmp_path / "index", 0
    Index.folder.mkdir()
    wheel(Index.folder, "vllm-9.1.0", VLLM)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("PIP_INDEX_URL", "http://{}:{}/simple/".format(*server.server_address))
        yield Index
        server.shutdown()


@pytest.fixture
def cache(tmp_path):
    """A folder in which the wheels of ms-swift 9.0.0 and of its transformers lie."""
    folder = tmp_path / "cache"
    folder.mkdir()
    wheel(folder, "ms_swift-9.0.0", SWIFT)
    wheel(folder, "transformers-5.12.1", TRANSFORMERS)
    return folder


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Makes the catalogue use a fresh copy of its data files; returns what makes the next one."""

    def copy(name):
        monkeypatch.setattr(load, "DATA", shutil.copytree(load.DATA, tmp_path / name))

    copy("first")
    return copy


@pytest.fixture
def extracted(index, cache, data):
    """The catalogue after the extraction of ms-swift 9.0.0; returns the command that did it."""

    def run(*arguments):
        return main(["--cache", str(cache), *arguments, "9.0.0"])

    assert run() == 0
    data("second")
    return run


def test_command_adds_a_release(extracted):
    release = catalogue.release("9.0.0")
    assert {name: field.default for name, field in release.trainer.items()} == {"beta": 0.1, "seed": 42}
    assert {name: field.default for name, field in release.server.items()} == {"port": 8000}
    assert (release.transformers, release.vllm) == ("5.12.1", "9.1.0")
    assert release.reward_funcs == ("accuracy", "format")
    assert catalogue.vllm_engine_args("9.1.0").keys() == {"dtype", "enable_log_requests"}


def test_command_keeps_the_other_releases(extracted):
    assert catalogue.versions()[-2:] == ("4.6.0", "9.0.0")
    assert len(catalogue.release("4.5.2").trainer) == 475


def test_check_finds_nothing_in_what_the_command_wrote(extracted, capsys):
    assert extracted("--check") == 0
    assert capsys.readouterr().out == ""


def test_check_lists_drifts_and_writes_nothing(extracted, data, capsys):
    path = load.DATA / "trainer.json"
    text = path.read_text().replace('0.1, "float", "RLHFArguments"', '0.2, "float", "RLHFArguments"')
    path.write_text(text)
    assert extracted("--check") == 1
    assert capsys.readouterr().out == (
        "ms-swift 9.0.0 trainer.beta default: catalogued as 0.2, the wheel says 0.1\n"
    )
    assert path.read_text() == text


@pytest.mark.parametrize("version", ["latest", "3.9.3", "4.5", "4.5.2.dev0", "-1"])
def test_bad_version_is_bad_usage(version, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--check", version])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_check_of_an_uncatalogued_release_names_the_nearest(index, cache, data, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--check", "--cache", str(cache), "9.0.0"])
    assert caught.value.code == 2
    assert "ms-swift 9.0.0 is not catalogued" in capsys.readouterr().err


def test_wheel_on_the_index_is_read_in_parts(index):
    assert open_wheel("vllm", "9.1.0").text("vllm/config.py") == VLLM["vllm/config.py"]
    assert index.sent < 1_000_000


def test_wheel_that_the_index_lacks_is_named(index):
    with pytest.raises(LookupError, match=r"no wheel of vllm 9\.2\.0"):
        open_wheel("vllm", "9.2.0")


def test_drifts_tell_options_apart_from_their_values():
    old, new = catalogue.release("4.5.2"), catalogue.release("4.5.2")._replace(vllm="1.0.0")
    beta = old.trainer["beta"]
    new = new._replace(trainer={**old.trainer, "beta": beta._replace(default=0), "zeta": beta})
    old = old._replace(server={**old.server, "gone": beta})
    assert list(drift.release_drifts(old, new)) == [
        "ms-swift 4.5.2 vllm: catalogued as '0.23.0', the wheel says '1.0.0'",
        "ms-swift 4.5.2 trainer.beta default: catalogued as None, the wheel says 0",
        "ms-swift 4.5.2 trainer.zeta: in the wheel, but not catalogued",
        "ms-swift 4.5.2 server.gone: catalogued, but not in the wheel",
    ]
