"""Who may import whom: schema nobody, migrate and launch only schema."""

import ast

import pytest
from complete import TESTS

ABOVE = {"schema": {"launch", "migrate"}, "migrate": {"launch"}, "launch": {"migrate"}}


def imported(file):
    """The packages that a file names in imports, also in those of its functions."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)


@pytest.mark.parametrize(("package", "above"), ABOVE.items())
def test_a_package_imports_nothing_above_it(package, above):
    files = [*(TESTS.parent / package).rglob("*.py")]
    assert files
    assert [(file.name, name) for file in files for name in imported(file) if name in above] == []
