"""Nodes for tests, and the table of faults at the end of the run."""

import time

import pytest

from tests.upstream.cpu.faults import Table
from tests.upstream.cpu.node import UPSTREAM
from tests.upstream.cpu.node import Node
from tests.upstream.cpu.node import make_model

TABLE = Table()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    assert UPSTREAM.exists(), "no environment: run tests/upstream/setup.sh"
    folder = tmp_path_factory.mktemp("cpu") / "model"
    make_model(folder)
    return folder


@pytest.fixture(scope="module")
def node(tmp_path_factory, model):
    """A node on which a server runs all the time."""
    place = Node(tmp_path_factory.mktemp("node"), model)
    begun = time.monotonic()
    place.serving = place.ready(place.server())
    place.serving.until("a learner may start")
    TABLE.ran("server, until it is ready", time.monotonic() - begun)
    place.keep()
    yield place
    place.close()


@pytest.fixture
def bare(tmp_path, model):
    """A node on which nothing runs."""
    place = Node(tmp_path, model)
    yield place
    place.close()


@pytest.fixture(scope="session")
def faults():
    """Where faults are judged and kept."""
    return TABLE


def pytest_terminal_summary(terminalreporter):
    """Shows the tables."""
    if TABLE.rows or TABLE.runs:
        terminalreporter.write_line(TABLE.text())
