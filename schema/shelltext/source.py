"""Bash text as tree-sitter sees it: nodes, their places, and where the text is no bash."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tree_sitter import Node

#: Deeper nesting than this is no script of a run; the limit keeps a hostile file from exhausting the stack.
MAX_DEPTH = 64
_QUOTES = ('"', "'", "`")
#: What stands for a backslash and the blank behind it, at which the parser would end a word; no text has it.
BLANK = b"\x01\x01"
_ESCAPED = re.compile(rb"(?<!\\)((?:\\\\)*)\\ ")


@dataclass(frozen=True)
class Source:
    """A text and its path; nodes count in bytes of the text, places in characters."""

    path: Path
    raw: bytes

    @cached_property
    def content(self) -> bytes:
        """What the parser gets."""
        return _ESCAPED.sub(rb"\1" + BLANK, self.raw)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(index + 1 for index, byte in enumerate(self.content) if byte == 0x0A)]

    def place(self, start: int, end: int | None = None) -> Place:
        """Where a piece of the text stands; without an end, where it starts."""
        return Place(self.path, *self._at(start), *(self._at(end) if end is not None else ()))

    def _at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        before = self.content[self._starts[line - 1] : offset]
        return line, len(before.decode(errors="replace")) + 1

    def line(self, offset: int) -> int:
        """The line of a byte, from 1."""
        return bisect_right(self._starts, offset)

    def text(self, start: int, end: int) -> str:
        """A piece of the text."""
        return self.content[start:end].replace(BLANK, b"\\ ").decode(errors="replace")

    def of(self, node: Node) -> str:
        """The text of a node."""
        return self.text(node.start_byte, node.end_byte)

    def nodes(self) -> Node:
        """The root of the syntax tree.

        Raises:
            InputError: the text nests deeper than MAX_DEPTH.
        """
        # Only whoever reads a script waits for the parser.
        import tree_sitter  # noqa: PLC0415
        import tree_sitter_bash  # noqa: PLC0415

        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
        root = parser.parse(self.content).root_node
        self._refuse_deep(root)
        return root

    def _refuse_deep(self, root: Node) -> None:
        wave, depth = [root], 0
        while wave:
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError(f"nested more than {MAX_DEPTH} levels deep", self.place(wave[0].start_byte))
            wave = [child for node in wave for child in node.children]

    def faults(self, root: Node) -> Iterator[tuple[int, str]]:
        """Where the text is no bash: the byte, and the quote that is left open, or "" where none is."""
        wrong = [child for child in root.children if child.has_error or child.is_error or child.is_missing]
        inner = [fault for child in wrong for fault in self.faults(child)]
        if inner:
            yield from inner
        elif root.is_missing and root.type in _QUOTES:
            yield (root.parent or root).start_byte, root.type
        elif root.is_error or root.is_missing:
            quote = self.of(root)[:1]
            yield root.start_byte, quote if quote in _QUOTES else ""
