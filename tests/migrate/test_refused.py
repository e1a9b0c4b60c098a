"""What is refused: cases-refused/NAME/before, `args` for the call, `message.txt` for what it must say."""

import shlex
import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases-refused"
NAMES = sorted(folder.name for folder in CASES.iterdir())


@pytest.mark.parametrize("write", [[], ["--write"]], ids=["diff", "write"])
@pytest.mark.parametrize("name", NAMES)
def test_refused_with_a_reason_and_nothing_is_written(name, write, root, files, migrate):
    shutil.copy(CASES.with_name("cases") / "base.yaml", root)
    shutil.copytree(CASES / name / "before", root, dirs_exist_ok=True)
    before = files()
    ran = migrate(*shlex.split((CASES / name / "args").read_text()), *write)
    assert (ran.code, ran.out) == (2, ""), ran
    for line in (CASES / name / "message.txt").read_text().splitlines():
        assert line in ran.err
    assert files() == before
