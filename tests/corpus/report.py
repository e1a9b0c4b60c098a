"""The figures of a run as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from tests.corpus.editors import EDITORS
from tests.corpus.suite import COMPARED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.suite import Figures
    from tests.corpus.suite import Row


def written(figures: Figures, folder: Path) -> str:
    """Writes figures.md and, for whoever looks into them, examples.txt; returns and prints the first."""
    text = (
        "\n".join([*_files(figures), "", *_ours(figures), "", *_compared(figures), "", *_refusals(figures)]) + "\n"
    )
    (folder / "figures.md").write_text(text, encoding="utf-8")
    (folder / "examples.txt").write_text("\n".join(figures.examples) + "\n", encoding="utf-8")
    print(text)
    return text


def _files(figures: Figures) -> list[str]:
    files = figures.files
    variants = ", ".join(f"{files[name]} {name}" for name in ("CRLF", "BOM", "no final newline"))
    left_out = ", ".join(f"{count} {reason}" for reason, count in figures.left_out.most_common())
    counts = f"{files['training'] + files['general']} files, {files['training']} of them of training packages"
    return [f"{counts}; variants of them: {variants}. Left out: {left_out}."]


def _table(heads: list[str], rows: list[list[object]]) -> list[str]:
    body: list[list[Any]] = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(map(str, row))} |" for row in body]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def _ours(figures: Figures) -> list[str]:
    rows = []
    for (whose, name), row in sorted(figures.rows.items()):
        if whose == "all":
            accepted = row.tried - row.refused
            rows.append(
                [
                    name,
                    row.tried,
                    row.refused,
                    _share(row.clean, accepted),
                    row.wrong,
                    row.noisy,
                    row.lost,
                    row.misplaced,
                ]
            )
    heads = [
        "edit",
        "tried",
        "refused",
        "right, no noise (of accepted)",
        "wrong data",
        "noisy",
        "comments lost",
        "misplaced",
    ]
    checks = ", ".join(f"{name} {count}" for name, count in sorted(figures.checks.items()))
    return [*_table(heads, rows), "", f"Checks: {checks}."]


def _compared(figures: Figures) -> list[str]:
    rows = []
    for editor in EDITORS:
        null = figures.row(editor.name, "null")
        cells: list[object] = [editor.name, _share(null.clean, null.tried)]
        cells += [_cell(figures.row(editor.name, name)) for name in COMPARED]
        total = figures.total(editor.name)
        cells += [
            total.wrong,
            total.failed + total.refused,
            total.lost,
            total.misplaced,
            _time(figures, editor.name),
        ]
        rows.append(cells)
    heads = ["editor", "null edit identical", *COMPARED, "wrong data", "failed or refused", "comments lost",
             "at the wrong key", "ms a set"]  # fmt: skip
    return [f"On {figures.files['compared']} of the files, every editor:", "", *_table(heads, rows)]


def _cell(row: Row) -> str:
    return _share(row.clean, row.tried)


def _time(figures: Figures, editor: str) -> str:
    count = figures.seconds[f"{editor} set count"]
    return f"{1000 * figures.seconds[f'{editor} set'] / count:.1f}" if count else "-"


def _refusals(figures: Figures) -> list[str]:
    total = figures.total("all")
    rows = [[count, reason] for reason, count in figures.reasons.most_common(30)]
    return [
        f"Refused: {total.refused} of {total.tried} ({_share(total.refused, total.tried)}).",
        "",
        *_table(["count", "reason"], rows),
    ]
