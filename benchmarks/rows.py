"""What is compared with what: for each input the commands that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.inputs import Inputs
    from benchmarks.tools import Tools

#: Numbers of files that show whether time and memory grow with them.
_GROWING = (250, 500, 1000, 2000)


def rows(inputs: Inputs, tools: Tools) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Each input's name, and the commands to time on it."""
    floor = {"python, pydantic, PyYAML, click": tools.python("import click, yaml; from pydantic import BaseModel")}
    yield "one preset", {**tools.readers(inputs.one), **floor, **tools.swift()}
    diff = {"migrate-config": tools.ours("migrate-config", "--to", "colocate", *inputs.both)}
    yield "two presets, one of which extends the other", {**tools.readers(inputs.both), **diff}
    yield (
        "help",
        {"rollout-split": tools.ours("rollout-split", "--help"), "import click": tools.python("import click")},
    )
    # Machines differ: the time of yamllint for one preset is the unit in which a preset of a thousand is measured.
    single = {"yamllint, one preset": tools.readers(inputs.one)["yamllint"]}
    yield "1,000 presets over 20 bases", {**tools.readers(inputs.leaves(1000)), **single}
    yield "1,000 whole presets", {**tools.readers(inputs.whole(1000)), **single}
    yield "one preset of 1 MB", tools.readers(inputs.large())
    chain = inputs.chain(50)
    own = tools.ours("validate-config", chain[-1])
    yield "a chain of 50 extends", {**tools.readers(chain), "validate-config": own}
    scripts = inputs.scripts(30)
    validated = tools.ours("validate-config", *scripts)
    yield "30 scripts", {"validate-config": validated, "shellcheck": tools.shellcheck(scripts)}
    for number in _GROWING:
        yield (
            f"{number:,} whole presets, alone",
            {"validate-config": tools.ours("validate-config", *inputs.whole(number))},
        )
