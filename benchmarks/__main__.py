"""Times our commands beside their peers; prints a table, and writes it, JSON and a picture into docs/.

`make bench` makes the environments and calls it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.inputs import Inputs
from benchmarks.measure import Cost
from benchmarks.measure import alternating
from benchmarks.rows import rows
from benchmarks.shown import picture
from benchmarks.shown import table
from benchmarks.tools import Tools

if TYPE_CHECKING:
    from benchmarks.shown import Measured

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measures, row by row, and shows the result."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        tools = _tools(Path(folder), asked.ours.absolute())
        measured = {}
        for title, commands in rows(Inputs(Path(folder, "project"), _ROOT), tools):
            if re.search(asked.only, title):
                print(title, file=sys.stderr)
                measured[title] = alternating(commands, asked.repeats)
    print(table(measured))
    if asked.output is not None:
        _write(asked.output, measured)


def _write(output: Path, measured: Measured) -> None:
    """Writes JSON and a picture; what a call has not measured stays as an earlier one has written it."""
    file = output.with_suffix(".json")
    old = json.loads(file.read_text()) if file.exists() else {}
    new = {title: {name: cost._asdict() for name, cost in costs.items()} for title, costs in measured.items()}
    file.write_text(json.dumps(old | new, indent=1) + "\n")
    every = {title: {name: Cost(**cost) for name, cost in costs.items()} for title, costs in (old | new).items()}
    output.with_suffix(".svg").write_text(picture(every))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=15, help="runs of each command; the median counts")
    parser.add_argument("--only", default="", metavar="REGEX", help="only inputs whose names it matches")
    parser.add_argument("--ours", type=Path, default=Path(sys.executable).parent, help="where our commands are")
    parser.add_argument("--output", type=Path, help="write OUTPUT.json and OUTPUT.svg")
    return parser.parse_args()


def _tools(folder: Path, ours: Path) -> Tools:
    schema = folder / "schema.json"
    schema.write_bytes(
        subprocess.run([ours / "validate-config", "--json-schema"], check=True, capture_output=True).stdout
    )
    return Tools(ours, _ROOT / ".venv-bench/bin", _ROOT / ".venv-upstream/bin", schema)


main()
