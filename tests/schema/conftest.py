"""What the tests of `schema` share: files from text, and validate-config in this process."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from schema.cli import main
from tests.schema.complete import COLOCATE
from tests.schema.complete import ROOT
from tests.schema.complete import SERVER


class Ran(NamedTuple):
    """How a call of validate-config ended."""

    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What a call with `--format json` found."""
        return json.loads(self.out)["findings"]


@pytest.fixture
def validate(monkeypatch):
    """Runs validate-config, as a person does: not as a hook."""
    monkeypatch.delenv("PRE_COMMIT", raising=False)

    def validate(*args: object, **environment: str) -> Ran:
        result = CliRunner().invoke(main, [str(arg) for arg in args], env=environment)
        return Ran(result.exit_code, result.stdout, result.stderr)

    return validate


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A fresh project root, and the current folder."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(root):
    """Writes a file below the project root, makes folders as needed, and returns its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        return path

    return write


@pytest.fixture
def preset(write):
    """Writes a preset that extends a complete one."""
    write("pyproject.toml", ROOT)
    write("server.yaml", SERVER)
    write("colocate.yaml", COLOCATE)

    def preset(text, name="preset.yaml", base="server.yaml"):
        return write(name, f"extends: {base}\n{text}\n")

    return preset
