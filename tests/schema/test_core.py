"""The compiled part of pydantic-core is the one that pydantic has, whichever of the two is imported first."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", ["schema.core", "pydantic_core", "pydantic"])
def test_there_is_one_core(first):
    program = f"""
import {first}
from schema import core
assert ("pydantic_core" in sys.modules) == ({first!r} != "schema.core")
import pydantic
import pydantic_core
assert all(getattr(core, name) is getattr(pydantic_core, name) for name in core.__all__)
assert pydantic.ValidationError is core.ValidationError
"""
    subprocess.run([sys.executable, "-c", f"import sys\n{program}"], check=True)
