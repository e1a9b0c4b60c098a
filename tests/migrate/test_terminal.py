"""How migrate-config looks on a terminal: colours of git, and lines that fit."""

import click
import pytest

from migrate.report.items import Item
from migrate.report.items import render
from tests.schema.complete import COLOCATE

ITEM = Item(
    "x.yaml", "changed", "rlhf.vllm_mode", "", 5, 7, "colocate", "server", "rollouts leave the GPUs " * 6, ()
)


def test_colour_changes_nothing_but_the_colour(root, migrate):
    (root / "preset.yaml").write_text(COLOCATE)
    plain, coloured = (migrate("--color", choice, "preset.yaml").out for choice in ("never", "always"))
    assert click.unstyle(coloured) == plain
    assert "\x1b[32m+" in coloured
    assert "\x1b[31m-" in coloured
    assert "\x1b" not in plain


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_lines_of_the_report_fit_the_terminal_and_lose_no_word(columns):
    whole, fitted = render([ITEM]), render([ITEM], columns)
    assert whole.split() == fitted.split()
    _, first, *rest = fitted.splitlines()
    assert max(len(line) for line in (first, *rest)) <= columns
    assert all(line.startswith(" " * 25) for line in rest)
    assert rest


def test_a_terminal_that_is_too_narrow_and_no_terminal_get_whole_lines():
    assert render([ITEM], 30) == render([ITEM])
