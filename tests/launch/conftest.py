"""Benches for tests, and the table of faults at the end of the run."""

import os
from functools import partial

import pytest
from bench import Bench
from bench import FaultTable
from looks import fit

TABLE = FaultTable()


@pytest.fixture
def bench(tmp_path):
    place = Bench(tmp_path)
    yield place
    place.close()


@pytest.fixture
def look(tmp_path):
    """Makes a look at a fit machine; see `fit` for the arguments."""
    return partial(fit, tmp_path)


@pytest.fixture(scope="session")
def faults():
    """Where faults are judged and kept."""
    return TABLE


def pytest_terminal_summary(terminalreporter):
    """Keeps the table, and shows it where details are asked for."""
    if TABLE.rows:
        file = TABLE.write()
        verbose = terminalreporter.config.get_verbosity() > 0
        terminalreporter.write_line(TABLE.text() if verbose else f"{len(TABLE.rows)} faults: {file}")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Plans and looks at servers depend on proxies; what the shell of the tests has must not count."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
