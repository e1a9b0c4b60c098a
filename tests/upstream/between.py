"""Releases in between: their own wheels, laid over the two environments; `make between` runs this.

They stand on both sides of each change that a rule or the catalogue knows of. Overlaid are ms-swift, and the
transformers and the trl of its time.
"""

import shutil
from pathlib import Path

import pytest

from schema import catalogue
from tests.upstream import mutations
from tests.upstream import test_catalogue_matches_swift as catalogued
from tests.upstream.conftest import Upstream
from tests.upstream.disagreements import REJECTED_HERE
from tests.upstream.disagreements import is_explained
from tests.upstream.oracle import ROOT
from tests.upstream.oracle import Oracle
from tests.upstream.samples import SETTINGS
from tools.extract.wheel import fetch

#: Each release with the trl that its README recommends.
RELEASES = {
    **dict.fromkeys(("3.11.0", "3.11.1", "3.12.0", "3.12.6"), "0.24.0"),
    **dict.fromkeys(("4.0.0", "4.0.4", "4.1.0"), "0.28.0"),
    **dict.fromkeys(("4.1.3", "4.2.0", "4.2.1", "4.2.3", "4.3.0", "4.3.2", "4.4.0", "4.5.0", "4.5.3"), "0.29.1"),
}
CACHE = Path.home() / ".cache" / "rollout-split"
#: What vLLM refuses once it loads, or a trainer at its first step, which is not asked.
LATER = {"dense-data-parallel", "async-generate"}


@pytest.fixture(scope="module", params=RELEASES)
def between(request, tmp_path_factory):
    version = request.param
    folder = tmp_path_factory.mktemp(version)
    wheels = {
        "ms-swift": version,
        "transformers": catalogue.release(version).transformers,
        "trl": RELEASES[version],
    }
    for package, release in wheels.items():
        fetch(package, release, CACHE).archive.extractall(folder / "overlay")
    (folder / "plugin.py").touch()
    environment = ".venv-upstream-oldest" if version.startswith("3.") else ".venv-upstream"
    oracle = Oracle(ROOT / environment / "bin/python", folder, folder / "overlay")
    yield Upstream(version, oracle, folder)
    oracle.close()
    shutil.rmtree(folder / "overlay")


def test_settings_are_judged_as_the_release_does(between):
    base = between.bases()["summary_1024"]
    cases = [mutations.mutant(base, *changes) for changes in mutations.settings(SETTINGS)]
    judged = between.judge([base, *cases], "settings")
    assert [str(v) for v in judged if v.kind.startswith("false") and not explained(v)] == []


def explained(verdict):
    return is_explained(verdict) or (bool(verdict.rules) and verdict.rules <= LATER | REJECTED_HERE.keys())


@pytest.mark.parametrize("side", ["learner", "server"])
def test_catalogue_says_what_its_parser_says(between, side):
    fields = between.release.trainer if side == "learner" else between.release.server
    pairs = between.oracle.options(side), fields
    catalogued.test_names(pairs)
    catalogued.test_kinds(pairs)
    catalogued.test_several_values(pairs)
    catalogued.test_choices(pairs)
    catalogued.test_defaults(pairs)
