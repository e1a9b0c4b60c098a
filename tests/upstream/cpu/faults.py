"""What each fault led to, checked and kept for the table at the end of the run."""

from typing import NamedTuple

from tests.upstream.cpu.node import ROOT

FILE = ROOT / "build/faults.md"
_HEAD = "| fault | message | exit code | seconds | processes left |\n| --- | --- | --- | --- | --- |"


class Row(NamedTuple):
    """A fault, what the launcher said about it, and how it ended.

    Attributes:
        fault: what was done.
        message: the launcher's line about it.
        code: the launcher's exit code.
        seconds: from the fault to the launcher's end.
        left: processes that outlived the launcher.
    """

    fault: str
    message: str
    code: int
    seconds: float
    left: int


class Table:
    """The faults of a run."""

    def __init__(self):
        self.rows = []
        self.runs = []

    def judge(self, fault, node, ended, code, message):
        """Adds a fault; it must have led to this exit code and message, and have left nothing behind."""
        left = node.left()
        lines = [line for line in ended.said.splitlines() if message in line]
        said = lines[0].replace(str(node.home), "...").replace(f"{ROOT}/", "") if lines else ""
        self.rows.append(Row(fault, said, ended.code, ended.seconds, len(left)))
        self.write()
        assert lines, f"{message!r} was not said: {ended.said[-3000:]}"
        assert ended.code == code, ended.said[-3000:]
        assert not left

    def ran(self, what, seconds):
        """Adds how long something took that went well."""
        self.runs.append(f"| {what} | {seconds:.0f} |")
        self.write()

    def text(self):
        """Both tables as Markdown."""
        rows = (f"| {r.fault} | {_cell(r.message)} | {r.code} | {r.seconds:.1f} | {r.left} |" for r in self.rows)
        return "\n".join(["| run | seconds |\n| --- | --- |", *self.runs, "", _HEAD, *rows])

    def write(self):
        """Writes both tables to a file, as far as they are known."""
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(self.text() + "\n", encoding="utf-8")


def _cell(line):
    escaped = " ".join(line.split()).replace("|", "\\|")
    return f"`{escaped}`" if escaped else ""
