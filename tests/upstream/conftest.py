"""The two upstream environments, the shipped presets as bases for mutants, and the table at the end of the run."""

from pathlib import Path
from typing import Any
from typing import NamedTuple

import pytest

from schema import catalogue
from schema import check
from schema.resolve import Workspace
from schema.resolve.tree import data
from tests.upstream import checkpoint
from tests.upstream import verdicts
from tests.upstream.oracle import ROOT
from tests.upstream.oracle import Case
from tests.upstream.oracle import Oracle
from tests.upstream.shipped import SHIPPED


class Upstream(NamedTuple):
    """A release of ms-swift that can be asked, and what it is asked about."""

    version: str
    oracle: Oracle
    folder: Path

    @property
    def release(self):
        """What the catalogue says of it."""
        return catalogue.release(self.version)

    def model(self, kind: str) -> Path:
        """The checkpoint that presets name."""
        folder = self.folder / "models" / kind
        return folder if folder.exists() else checkpoint.make(folder, kind, self.version)

    def bases(self) -> dict[str, Case]:
        """The shipped presets as data, with a checkpoint that is there."""
        return {name: self._base(name, *shipped) for name, shipped in SHIPPED.items()}

    def _base(self, name: str, file: str, rollout: int | None, train: int, kind: str) -> Case:
        tree: Any = data(check.load(Workspace(), ROOT / file).tree)
        tree["model"]["model"] = str(self.model(kind))
        if "tuner_type" not in self.release.trainer:
            tree["tuner"]["train_type"] = tree["tuner"].pop("tuner_type")
        return Case(name, tree, rollout, train)

    def judge(self, cases, name):
        """The verdicts on some cases, and their table for the end of the run."""
        judged = verdicts.judge(self.oracle, cases, self.folder / name, self.version)
        verdicts.TABLES.append(verdicts.table(f"ms-swift {self.version}, {name}", judged))
        return judged


@pytest.fixture(scope="session")
def upstream(tmp_path_factory):
    """ms-swift of the reference stack."""
    yield from _start(tmp_path_factory.mktemp("upstream"), ".venv-upstream", "requirements.txt")


@pytest.fixture(scope="session")
def oldest(tmp_path_factory):
    """The oldest supported ms-swift."""
    yield from _start(tmp_path_factory.mktemp("oldest"), ".venv-upstream-oldest", "requirements-oldest.txt")


def _start(folder, environment, requirements):
    pins = Path(__file__).with_name(requirements).read_text(encoding="utf-8").split()
    version = next(pin.removeprefix("ms-swift==") for pin in pins if pin.startswith("ms-swift=="))
    python = ROOT / environment / "bin/python"
    assert python.exists(), "no environment: run tests/upstream/setup.sh"
    (folder / "plugin.py").touch()
    oracle = Oracle(python, folder)
    yield Upstream(version, oracle, folder)
    oracle.close()


def pytest_terminal_summary(terminalreporter):
    """Shows the tables."""
    for table in verdicts.TABLES:
        terminalreporter.write_line(table)
