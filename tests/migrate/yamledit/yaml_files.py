"""Hypothesis strategies: YAML files as people write them, with comments in every place that a comment can have."""

import re
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from migrate import proof
from migrate.migration import Migration
from migrate.yamledit import steps
from migrate.yamledit.scalars import scalar
from schema.yamltext import Document
from schema.yamltext import parse
from schema.yamltext.edit import at

BOM = "\ufeff"
#: Every generated comment has a number of its own, so that none can be mistaken for another.
COMMENT = re.compile(r"# c\d+ .*?;")
PATH = Path("/project/preset.yaml")

_WORDS = ["vLLM", "no", "1e-6", "key: value", "- item", "'quoted'", '"', "größer", "模型", "🚀", "{a: [", "\\"]
_KEYS = ["alpha", "beta", "vllm_mode", "size-2", "ключ", "with space", "no", "7", "a.b"]
_PLAIN = [None, True, False, 0, -3, 8192, 0.5, 1e-06, 2.0, "colocate", "qwen3_vl", "a b", "x:y", "models/4b#1"]
_TEXTS = ["", "no", "1e-6", "# no comment", "it's", 'say "hi"', "a: b", "模型 🚀", "  padded  ", "{", "\\"]
_BETWEEN = [
    "",
    "",
    "head",
    "blank",
    "blank head",
    "banner",
    "odd",
    "head odd",
    "odd blank odd head",
    "banner head",
]
_FLOW = ["[1, 2]", "{a: 1, b: [x]}", '["127.0.0.1"]', "[ ]", "{ image: 1 }", "[]"]


def apply(old: Document, edits) -> Document:
    """A document with edits made."""
    return edited(old, edits).files[old.path]


def edited(old: Document, edits) -> steps.Edited:
    """The same, with the steps that led there."""
    return steps.apply({old.path: old}, at(old.path, edits))


def gone(old: Document, edits) -> list[str]:
    """The comments that edits delete."""
    return [comment for step in edited(old, edits).steps for comment in step.gone]


def prove(old: Document, new: Document, edits) -> None:
    """Compares a text with the one that edits make."""
    made = edited(old, edits).steps
    proof.prove([Migration(old.path, old, new, made)], made)


def comments(text: str) -> list[str]:
    """The numbered comments of a text, sorted."""
    return sorted(COMMENT.findall(text))


def document(text: str) -> Document:
    """A document of a text, which may begin with a BOM."""
    return parse(PATH, text.encode())


class _Writer:
    """Writes a file line by line, with choices of its own: one draw a file is ten times faster than one a choice.

    Attributes:
        lines: the lines so far, without newlines.
    """

    def __init__(self, seed: int, keys: int, *, hard: bool) -> None:
        self.pick = Random(seed).choice
        self.lines: list[str] = self.pick([[], [], ["---"], ["# c0 head of the file;", ""]])
        self._left = keys
        self._hard = hard
        self._step = self.pick([2, 2, 4, 3, 1])
        self._comments = 0
        self._in_block = False

    def mapping(self, column: int, depth: int) -> None:
        keys = list(_KEYS)
        for _ in range(self.pick([1, 2, 3, 4] if depth else [2, 3, 4, 5])):
            self._between(column)
            self._in_block = False
            key = keys.pop(keys.index(self.pick(keys)))
            self._entry(" " * column + scalar(key) + self.pick([":", ":", ":", " :"]), column, depth)
        self._between(column)

    def _entry(self, key: str, column: int, depth: int) -> None:
        self._left -= 1
        kinds: list = [self._plain, self._plain, self._quoted, self._empty]
        kinds += [self._flow, self._long_flow, self._folded]
        if self._left > 0 and depth < 4:
            kinds += [self._nested] * 5 + [self._items]
        self.pick(kinds + [self._block] * 3 * self._hard)(key, column, depth)

    def _comment(self) -> str:
        self._comments += 1
        return f"# c{self._comments} {self.pick(_WORDS)} {self.pick(_WORDS)};"

    def _end(self) -> str:
        return self.pick(["", "", "  ", f"  {self._comment()}", f" {self._comment()}"])

    def _between(self, column: int) -> None:
        for kind in self.pick(_BETWEEN).split():
            if kind == "blank":
                self.lines.append(self.pick(["", "", " " * column]))
            elif kind == "odd":
                deep = [] if self._in_block else [1, column + 1, column + 5]  # there it would be text
                self.lines.append(" " * self.pick([0, *deep]) + self._comment())
            else:
                self.lines += [" " * column + self._comment() for _ in range(self.pick([1, 2]))]
                self.lines += [""] * (kind == "banner")

    def _plain(self, key: str, *_) -> None:
        self.lines.append(f"{key} {scalar(self.pick(_PLAIN))}{self._end()}")

    def _quoted(self, key: str, *_) -> None:
        text = scalar(self.pick(_TEXTS), self.pick(['"', "'"]))
        self.lines.append(f"{key} {text}{self._end()}")

    def _empty(self, key: str, *_) -> None:
        self.lines.append(f"{key}{self.pick(['', '', ' null', ' ~', ' {}'])}{self._end()}")

    def _flow(self, key: str, *_) -> None:
        self.lines.append(f"{key} {self.pick(_FLOW)}{self._end()}")

    def _long_flow(self, key: str, column: int, _) -> None:
        inner = " " * self.pick([column + self._step, column + 1, column + 6])
        self.lines += [f"{key} [{self._end()}", f"{inner}one, 2,{self._end()}", f"{inner}{self._comment()}"]
        self.lines += [f"{inner}three", f"{' ' * (column + 1)}]{self._end()}"]

    def _folded(self, key: str, column: int, _) -> None:
        first, last = self.pick([("several words", "on two lines"), ('"quoted', '# no comment"')])
        self.lines += [f"{key} {first}", f"{' ' * (column + self._step)}{last}{self._end()}"]

    def _items(self, key: str, column: int, _) -> None:
        at = " " * self.pick([column, column + self._step])
        self.lines.append(f"{key}{self._end()}")
        for number in range(self.pick([1, 2, 3])):
            self.lines += [f"{at}{self._comment()}"] * self.pick([0, 0, 1])
            self.lines.append(f"{at}- {self.pick(['word', str(number), '{a: 1}'])}{self._end()}")
            self.lines += [f"{at}  {self._comment()}"] * self.pick([0, 0, 1])
        self.lines += [""] * self.pick([0, 1])

    def _block(self, key: str, column: int, _) -> None:
        inner = " " * (column + self._step)
        header = self.pick(["|", ">", "|-", ">+", "|+", f"|{self._step}", f"| {self._comment()}"])
        self.lines.append(f"{key} {header}")
        self._in_block = True
        body = self.pick([["text"], ["# no comment", "", "  deeper"], ["a", "", " "], ["a\u00a0", "\u00a0"], []])
        self.lines += [inner + line if line else "" for line in body]
        self.lines += [self.pick(["", " ", f"{inner}  "]) if body else ""] * self.pick([0, 1, 2])

    def _nested(self, key: str, column: int, depth: int) -> None:
        self.lines.append(f"{key}{self._end()}")
        self.mapping(column + self._step, depth + 1)


def _text(seed: int, keys: int, newline: str, end: int, bom: str, *, hard: bool) -> str:
    writer = _Writer(seed, keys, hard=hard)
    writer.mapping(0, 0)
    return bom + newline.join(writer.lines) + newline * end


def texts(*, hard: bool = False) -> st.SearchStrategy[str]:
    """Texts of files whose root is a block mapping.

    Args:
        hard: whether they may hold block scalars, which reach for the lines behind them.
    """
    return st.builds(
        _text,
        seed=st.integers(0, 2**32),
        keys=st.integers(2, 16),
        newline=st.sampled_from(["\n", "\n", "\r\n"]),
        end=st.sampled_from([1, 1, 0, 2]),
        bom=st.sampled_from(["", "", BOM]),
        hard=st.just(hard),
    )
