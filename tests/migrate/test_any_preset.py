"""Any preset, and any child of it, is migrated soundly or refused with a reason; the tool itself never fails."""

import json
import tempfile
from pathlib import Path

import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli import main
from tests.amounts import examples
from tests.amounts import floor
from tests.migrate.preset_files import KNOBS
from tests.migrate.preset_files import SECTIONS
from tests.migrate.preset_files import write_presets
from tests.migrate.yamledit.yaml_files import comments


def test_migrated_soundly_or_refused():
    @examples(40)
    @given(seed=st.integers(0, 2**32), children=st.integers(0, 2))
    def check(seed, children):
        with tempfile.TemporaryDirectory() as folder:
            went.append(is_migrated(write_presets(Path(folder), seed, children)))

    with floor(0.15) as went:
        check()


def is_migrated(paths):
    """Whether it was not refused; where it was, nothing was written."""
    before = [path.read_bytes() for path in paths]
    ran = migrate(paths)
    if ran.exit_code == 2:
        assert ran.stderr.startswith("error: ")
        assert [path.read_bytes() for path in paths] == before
        return False
    assert ran.exit_code == 0, ran.output
    after = [path.read_bytes() for path in paths]
    gone = [
        comment
        for change in json.loads(ran.stdout)["changes"]
        if change["kind"] != "moved"
        for comment in change["comments"]
    ]
    assert sorted(said(after) + gone) == said(before)
    assert [left(content) for content in after] == [set()] * len(paths)
    again = migrate(paths)
    assert (again.exit_code, json.loads(again.stdout)["changes"]) == (0, [])
    assert [path.read_bytes() for path in paths] == after
    return True


def migrate(paths):
    return CliRunner().invoke(main, ["--write", "--report", "json", *map(str, paths)])


def said(contents):
    return sorted(comment for content in contents for comment in comments(content.decode()))


def left(content):
    """The engine's settings that a file still has among the learner's."""
    data = yaml.safe_load(content)
    arguments = [(data.get(section) or {}).items() for section in SECTIONS]
    return {
        name
        for items in arguments
        for name, value in items
        if name in KNOBS and name not in ("temperature", "vllm_server_port") and value is not None
    }
