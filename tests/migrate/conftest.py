"""What the tests of `migrate` share: a project to work in, and migrate-config in this process."""

from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from migrate.cli import main

#: The split of the examples, whatever the repository's own is.
SPLIT = '[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\nswift-version = "4.5.2"\n'


class Ran(NamedTuple):
    """How a call of migrate-config ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def migrate():
    """Runs migrate-config in the current folder."""

    def migrate(*args: object) -> Ran:
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        return Ran(result.exit_code, result.stdout, result.stderr)

    return migrate


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A fresh project root, and the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(SPLIT)
    monkeypatch.chdir(folder)
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file below a folder: its bytes, its mode, and when it was last written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def files(root):
    """What the files of the project are now."""
    return lambda: tree(root)
