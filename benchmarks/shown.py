"""The numbers as a table, and as a picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from typing import TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from benchmarks.measure import Cost

#: Costs by input and command.
Measured: TypeAlias = "Mapping[str, Mapping[str, Cost]]"

_BAR, _LEFT, _WIDTH = 18, 250, 360


def table(measured: Measured) -> str:
    """A Markdown table; the last column compares with the first command of the row."""
    return "\n".join(
        [
            "| input | command | ms | CPU ms | MB | ratio |",
            "| --- | --- | --: | --: | --: | --: |",
            *_lines(measured),
        ]
    )


def _lines(measured: Measured) -> Iterator[str]:
    for title, costs in measured.items():
        first = next(iter(costs.values()))
        for name, cost in costs.items():
            numbers = (
                f"{cost.wall * 1e3:,.0f} | {cost.cpu * 1e3:,.0f} | {cost.memory:.0f} | {cost.cpu / first.cpu:.2f}"
            )
            yield f"| {title} | {name} | {numbers} |"
            title = ""  # noqa: PLW2901 - said once


def picture(measured: Measured) -> str:
    """An SVG: for each input a bar a command, as long as its CPU time beside the slowest of the input."""
    drawn, y = [], 0
    for title, costs in measured.items():
        if len(costs) > 1:
            drawn.append(f'<text x="0" y="{y + _BAR}" font-weight="bold">{escape(title)}</text>')
            y += _BAR + 8
            drawn += [
                _bar(y + _BAR * row, *each, max(cost.cpu for cost in costs.values()))
                for row, each in enumerate(costs.items())
            ]
            y += _BAR * len(costs) + 8
    size = f'width="720" height="{y}" viewBox="0 0 720 {y}"'
    style = "<style>text { font: 13px sans-serif; fill: #888 }</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{style}\n' + "\n".join(drawn) + "\n</svg>\n"


def _bar(y: int, name: str, cost: Cost, most: float) -> str:
    length = max(1, round(_WIDTH * cost.cpu / most))
    colour = "#2a7ae2" if name in ("validate-config", "migrate-config", "rollout-split") else "#bbb"
    return (
        f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LEFT}" y="{y + 2}" width="{length}" height="{_BAR - 4}" fill="{colour}"/>'
        f'<text x="{_LEFT + length + 6}" y="{y + 13}">{cost.cpu * 1e3:,.0f} ms</text>'
    )
