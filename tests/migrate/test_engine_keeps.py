"""What the engine of a preset had it keeps, whatever its bases say, hide, and contradict each other in."""

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli import main
from schema.check import load
from schema.resolve import Branch
from schema.resolve import Workspace
from tests.amounts import examples
from tests.amounts import floor

BASE = (Path(__file__).parent / "cases" / "base.yaml").read_text()
VALUES: dict[str, list] = {
    "vllm_max_num_seqs": [8, 16, None],
    "vllm_enable_prefix_caching": [True, False, None],
    "vllm_limit_mm_per_prompt": [{"image": 5}, {"video": 0}, None],
    "vllm_mm_processor_cache_gb": [1, None],
    "sleep_level": [1, None],
}
PARTS = ["a.yaml", "b.yaml", "c.yaml"]
KNOBS = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})


@st.composite
def projects(draw):
    """The data of files by name: parts with engine settings, a leaf that extends some, one that extends it too."""
    files = {}
    for number, name in enumerate(PARTS):
        section = draw(st.sampled_from(["rlhf", "rlhf", "training"]))
        files[name] = {"extends": draw(st.sampled_from([[], PARTS[:number]])), section: draw(KNOBS)}
    some = st.lists(st.sampled_from(PARTS), unique=True)
    mode = {"use_vllm": True, "vllm_mode": "colocate"}
    files["leaf.yaml"] = {"extends": ["base.yaml", *draw(some)], "rlhf": {**draw(KNOBS), **mode}}
    files["heir.yaml"] = {"extends": ["leaf.yaml", *draw(some)], "rlhf": draw(KNOBS)}
    return files


def said(path):
    """What the learner's arguments, and the server's block of a preset say; a null is unset."""
    preset = load(Workspace(), path)
    block = preset.block if isinstance(preset.block, Branch) else None
    return ({name: side.value(name) for name in VALUES} if side else {} for side in (preset, block))


@pytest.mark.long
@pytest.mark.parametrize("flag", ["--include-bases", "--mask-bases"])
def test_the_engine_keeps_its_settings_there_and_back(flag):
    @examples(30)
    @given(files=projects())
    def check(files):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, data in {"base.yaml": BASE, "pyproject.toml": "", **files}.items():
                (root / name).write_text(data if isinstance(data, str) else json.dumps(data))
            kept.append(keeps([root / "leaf.yaml", root / "heir.yaml"], flag))

    with floor(0.3) as kept:
        check()


def keeps(paths, flag):
    """Whether it is migrated at all; then it must keep them."""
    before = [next(said(path)) for path in paths]
    if not written(flag, *paths):
        return False
    for path, had in zip(paths, before, strict=True):
        learner, server = said(path)
        assert set(learner.values()) == {None}
        assert {**server, "sleep_level": None} == {**had, "sleep_level": None}
    if written(flag, "--to", "colocate", *paths):
        for path, had in zip(paths, before, strict=True):
            assert {**next(said(path)), "sleep_level": None} == {**had, "sleep_level": None}
    return True


def written(*args):
    """Whether a call wrote; if not, it must have refused."""
    ran = CliRunner().invoke(main, ["--write", *map(str, args)])
    assert ran.exit_code in (0, 2), ran.output
    return ran.exit_code == 0
