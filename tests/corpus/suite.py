"""Runs editors over the corpus and counts what they do.

`python tests/corpus/suite.py` writes build/corpus/figures.md; with `--alone` without the other editors, with a
number for one in so many files only.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING
from typing import Any

import yaml

from tests.corpus.choice import NEW
from tests.corpus.choice import Edit
from tests.corpus.choice import edits_of
from tests.corpus.collect import CORPUS
from tests.corpus.collect import MANIFEST
from tests.corpus.editors import EDITORS
from tests.corpus.editors import Refused
from tests.corpus.judge import Original
from tests.corpus.judge import gone_with
from tests.corpus.judge import judged
from tests.corpus.judge import loader

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The editors that are not ours are tried on one file in so many: ruamel.yaml takes 20 ms for each edit.
EVERY = 10
COMPARED = (
    "set",
    "set in flow",
    "set in list item",
    "delete middle",
    "delete last",
    "delete collection",
    "delete in flow",
    "delete in list item",
    "insert",
    "move",
    "move collection",
)
VARIANTS = ("", "CRLF", "BOM", "no final newline")
WORKERS = 2
#: Pairs of edits of a file that are made in both orders.
PAIRS = 2
#: Faults of a kind that are kept as examples.
EXAMPLES = 40


@dataclass
class Row:
    """What one editor did with one kind of edit."""

    tried: int = 0
    refused: int = 0
    failed: int = 0
    wrong: int = 0
    noisy: int = 0
    lost: int = 0
    misplaced: int = 0
    clean: int = 0


@dataclass
class Figures:
    """The figures of a run, or of a part of it."""

    files: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    seconds: Any = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def row(self, editor: str, name: str) -> Row:
        """The row of an editor and a kind of edit."""
        return self.rows.setdefault((editor, name), Row())

    def example(self, what: str, source: str, edit: Edit) -> None:
        """Keeps an example of a fault."""
        self.examples.append(f"{what}: {source}: {edit}")

    def add(self, other: Figures) -> None:
        """Adds the figures of another part."""
        for name in ("files", "left_out", "reasons", "checks", "seconds"):
            getattr(self, name).update(getattr(other, name))
        for key, row in other.rows.items():
            mine = self.row(*key)
            for name, value in vars(row).items():
                setattr(mine, name, getattr(mine, name) + value)
        self.examples += other.examples

    def total(self, editor: str, names: tuple[str, ...] | None = None) -> Row:
        """The sum of the rows of an editor."""
        total = Row()
        for (whose, name), row in self.rows.items():
            if whose == editor and name != "null" and (names is None or name in names):
                for count, value in vars(row).items():
                    setattr(total, count, getattr(total, count) + value)
        return total


def run(*, others: bool = True, one_in: int = 1) -> Figures:
    """Runs over the corpus, or one in so many of its files; `others` compares with the other editors on a part."""
    rows = json.loads(MANIFEST.read_text(encoding="utf-8"))[one_in - 1 :: one_in]
    parts = [rows[start::100] for start in range(100)]
    figures = Figures()
    with ProcessPoolExecutor(WORKERS) as pool:
        for part in pool.map(partial(_part, others=others), parts):
            figures.add(part)
    return figures


def _part(rows: list[dict[str, str]], *, others: bool) -> Figures:
    figures = Figures()
    for row in rows:
        content = (CORPUS / row["path"]).read_bytes()
        for variant, varied in _variants(content):
            _file(figures, row, variant, varied, others=others and not variant)
    return figures


def _variants(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", content
    digest = hashlib.sha256(content).digest()
    variant = VARIANTS[digest[0] % len(VARIANTS)] if digest[1] % 2 else ""
    if variant == "CRLF" and b"\r" not in content:
        yield variant, content.replace(b"\n", b"\r\n")
    if variant == "BOM" and not content.startswith(b"\xef\xbb\xbf"):
        yield variant, b"\xef\xbb\xbf" + content
    if variant == "no final newline" and content.endswith(b"\n"):
        yield variant, content.rstrip(b"\r\n")


def _file(figures: Figures, row: dict[str, str], variant: str, content: bytes, *, others: bool) -> None:
    reason = left_out(content)
    if reason:
        figures.left_out[reason] += not variant
        return
    figures.files[variant or row["group"]] += 1
    text = content.decode()
    digest = hashlib.sha256(content).digest()
    old, source = Original(text, both=not variant), f"{row['path']} {variant}"
    edits = edits_of(content, text)
    compared = others and digest[3] % EVERY == 0
    figures.files["compared"] += compared
    for editor in EDITORS if compared else EDITORS[:1]:
        name = editor.name if compared or editor is not EDITORS[0] else ""
        _null(figures, editor, old, name)
        for edit in edits:
            if editor is EDITORS[0] or edit.name in COMPARED:
                _edit(figures, editor, old, edit, source, compared=compared)
    if compared:
        _beside_yaml_edit(figures, old, edits, source)
    _commuting(figures, text, edits, source)


def left_out(content: bytes) -> str:
    """Why a file is no single-document mapping that PyYAML reads; empty when it is."""
    try:
        text = content.decode()
        found = list(yaml.load_all(text, loader(text)))
    except UnicodeDecodeError:
        return "not UTF-8"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        tag = "could not determine a constructor" in str(error)
        return "its own tags (!name)" if tag else "not valid YAML"
    except TypeError:
        return "not valid YAML"
    if len(found) != 1:
        return "several documents" if found else "empty"
    return "" if isinstance(found[0], dict) and found[0] else "no mapping, or an empty one"


def _null(figures: Figures, editor: Any, old: Original, name: str) -> None:
    for whose in {name, "all"} if editor is EDITORS[0] else {name}:
        if whose:
            row = figures.row(whose, "null")
            row.tried += 1
            try:
                same = editor.null(old.text) == old.text
            except Refused:
                row.refused += 1
            except Exception:
                row.failed += 1
            else:
                row.clean += same
                row.noisy += not same


def _edit(figures: Figures, editor: Any, old: Original, edit: Edit, source: str, *, compared: bool) -> None:
    mine = editor is EDITORS[0]
    rows = [figures.row("all", edit.name)] if mine else []
    rows += [figures.row(editor.name, edit.name)] if compared and edit.name in COMPARED else []
    counts: dict[str, int] = {"tried": 1}
    started = time.process_time()
    try:
        new = editor.edit(old.text, edit)
    except Refused as refusal:
        counts["refused"] = 1
        reason = str(refusal).removeprefix("cannot be edited safely: ").removesuffix("; change it by hand")
        figures.reasons[reason] += 1
        figures.example(f"refused ({reason})", source, edit)
    except Exception as error:
        counts["failed"] = 1
        if mine:
            figures.example(f"failed ({error!r})", source, edit)
    else:
        figures.seconds[f"{editor.name} {edit.kind}"] += time.process_time() - started
        figures.seconds[f"{editor.name} {edit.kind} count"] += 1
        counts |= _judged(figures, old, new, edit, source, mine=mine)
        if mine:
            _reversible(figures, old, new, edit, source)
    for row in rows:
        for name, value in counts.items():
            setattr(row, name, getattr(row, name) + value)


def _beside_yaml_edit(figures: Figures, old: Original, edits: list[Edit], source: str) -> None:
    """Where two editors that splice give different texts, one of them should be wrong; that must not be ours."""
    mine, theirs = EDITORS[0], EDITORS[-1]
    for edit in edits:
        if edit.kind not in ("set", "delete") or edit.name not in COMPARED:
            continue
        try:
            texts = mine.edit(old.text, edit), theirs.edit(old.text, edit)
        except Exception:  # noqa: S112 - what is refused or fails is counted above
            continue
        if texts[0] == texts[1]:
            state = "agrees"
        elif not judged(old, texts[1], edit, both=old.data12 is not None).clean:
            state = "differs and is wrong"
        elif edit.kind == "set" and _one_line(*texts):
            state = "spells the value otherwise"
        else:
            state = "differs, both right"
            figures.example("yaml-edit differs, both right", source, edit)
        figures.checks[f"yaml-edit {state}"] += 1


def _one_line(one: str, other: str) -> bool:
    lines = one.split("\n"), other.split("\n")
    return len(lines[0]) == len(lines[1]) and sum(map(str.__ne__, *lines)) == 1


def _judged(figures: Figures, old: Original, new: str, edit: Edit, source: str, *, mine: bool) -> dict[str, int]:
    verdict = judged(old, new, edit, both=mine and old.data12 is not None)
    if mine and not verdict.clean:
        figures.example(f"{verdict}", source, edit)
    return {
        "wrong": bool(verdict.wrong),
        "noisy": bool(verdict.noise),
        "lost": verdict.lost,
        "misplaced": verdict.misplaced,
        "clean": verdict.clean,
    }


def _reversible(figures: Figures, old: Original, new: str, edit: Edit, source: str) -> None:
    editor = EDITORS[0]
    if edit.kind == "delete":
        right = editor.reported(old.text, edit) == Counter(gone_with(old, edit))
        figures.checks["report right" if right else "report wrong"] += edit.path in old.owners
        if not right and edit.path in old.owners:
            figures.example("report wrong", source, edit)
        return
    try:
        back = editor.undone(old.text, new, edit)
    except Exception as error:
        back = repr(error)
    state = "no inverse" if back is None else "undone" if back == old.text else "not undone"
    figures.checks[f"{edit.kind} {state}"] += 1
    if state == "not undone":
        figures.example("not undone", source, edit)


def _commuting(figures: Figures, text: str, edits: list[Edit], source: str) -> None:
    editor = EDITORS[0]
    pairs = [pair for pair in combinations(edits, 2) if _independent(*pair)]
    dice = random.Random(source)
    for one, other in dice.sample(pairs, min(PAIRS, len(pairs))):
        try:
            there = editor.edit(editor.edit(text, one), other)
            back = editor.edit(editor.edit(text, other), one)
        except (Refused, KeyError):
            continue
        figures.checks["commuted" if there == back else "not commuted"] += 1
        if there != back:
            figures.example(f"not commuted with {other}", source, one)


def _independent(one: Edit, other: Edit) -> bool:
    if "move" in (one.kind, other.kind) or {one.kind, other.kind} == {"insert"}:
        return False
    first, second = _place(one), _place(other)
    related = first[: len(second) - 1] == second[:-1] or second[: len(first) - 1] == first[:-1]
    return not related or ({one.kind, other.kind} == {"set"} and first != second)


def _place(edit: Edit) -> tuple[object, ...]:
    return edit.path[: edit.path.index(NEW) + 1] if edit.kind == "insert" else edit.path


if __name__ == "__main__":
    from tests.corpus.report import written

    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    written(run(others="--alone" not in sys.argv, one_in=numbers[0] if numbers else 1), CORPUS)
