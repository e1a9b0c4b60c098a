"""Benches for tests, and the table of faults at the end of the run."""

import os
from functools import partial

import pytest

from tests.carried import carried
from tests.carried import carry
from tests.launch.bench import Bench
from tests.launch.bench import FaultTable
from tests.launch.looks import fit

#: What a report carries for the table of faults.
ROW = "row of the fault table"


@pytest.fixture
def bench(tmp_path):
    place = Bench(tmp_path)
    yield place
    place.close()


@pytest.fixture
def look(tmp_path):
    """Makes a look at a fit machine; see `fit` for the arguments."""
    return partial(fit, tmp_path)


@pytest.fixture
def faults(request):
    """Where faults are judged and kept."""
    table = FaultTable()
    yield table
    for row in table.rows:
        carry(request, ROW, row)


def pytest_terminal_summary(terminalreporter):
    """Keeps the table, and shows it where details are asked for."""
    table = FaultTable(carried(terminalreporter, ROW))
    if table.rows:
        file = table.write()
        verbose = terminalreporter.config.get_verbosity() > 0
        terminalreporter.write_line(table.text() if verbose else f"{len(table.rows)} faults: {file}")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Plans and looks at servers depend on proxies; what the shell of the tests has must not count."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
