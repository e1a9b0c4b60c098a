"""What the tests of `migrate` share: a project to work in, and migrate-config in this process."""

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from migrate.cli import main
from tests.carried import carried
from tests.carried import carry
from tests.migrate.writing import faults

#: The split of the examples, whatever the repository's own is.
SPLIT = '[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\nswift-version = "4.5.2"\n'

#: What a report carries for the count of faults.
FAULTS = "faults injected while writing"


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


@pytest.fixture
def three(tmp_path):
    """Three files with different modes."""
    paths = [tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")]
    for path, bits in zip(paths, (0o644, 0o600, 0o755), strict=True):
        path.write_text(f"old {path.stem}\n")
        path.chmod(bits)
    return paths


@pytest.fixture
def memory(tmp_path):
    """A fresh folder, in memory where there is such a file system: syncing takes no time there."""
    if not os.access("/dev/shm", os.W_OK):  # noqa: S108 - mkdtemp makes a folder that is nobody else's
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="writing-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def injected(request):
    """Counts the faults that a test of writing injects; each is survived, or the test fails."""
    faults.INJECTED.clear()
    yield
    if faults.INJECTED:
        carry(request, FAULTS, dict(faults.INJECTED))


def pytest_terminal_summary(terminalreporter):
    """Says how many faults there were."""
    if total := sum(map(Counter, carried(terminalreporter, FAULTS)), Counter()):
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(total.items()))
        terminalreporter.write_line(f"faults injected while writing: {total.total()} ({kinds})")
