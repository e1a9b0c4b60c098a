"""One script: its commands, those that are commented out, and where its text is no bash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.place import Place
from schema.shelltext.source import Source
from schema.shelltext.walk import Walk
from schema.yamltext.document import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tree_sitter import Node

    from schema.shelltext.walk import Command
    from schema.shelltext.words import Word

#: Characters. Scripts that start a run have some thousand.
MAX_SIZE = 1 << 17
_COMMENT = re.compile(r"[ \t]*#+!?")
#: A comment within a command: bash runs it, and gets nothing.
_INLINE = re.compile(rb"(?<=[ \t])`#[^`\n]*`(?=[ \t\\\n]|$)")
_NOT_CONTINUED = re.compile(rb"(?<!\\)(?:\\\\)*(\\[ \t]+)$")
_CONTINUED = re.compile(r"\\[ \t]*$")


class Fault(NamedTuple):
    """Where the text is no bash.

    Attributes:
        place: where it begins.
        quote: the quote that is left open, or "".
        breaks: whether it is a line break that bash takes for a part of a word: CR LF.
    """

    place: Place
    quote: str = ""
    breaks: bool = False


@dataclass(frozen=True)
class Script:
    """What a script says.

    Attributes:
        read: its bytes.
        source: its text.
        commands: those that it runs, in the order of the text.
        silent: those that stand in comments.
        faults: where it is no bash.
    """

    read: bytes
    source: Source
    commands: tuple[Command, ...]
    silent: tuple[Command, ...]
    faults: tuple[Fault, ...]

    def blank_behind(self, command: Command) -> Place | None:
        """The backslash at the end of a command's last line that a blank keeps from continuing it, or None."""
        raw = self.source.raw
        start, end = raw.rfind(b"\n", 0, command.end) + 1, raw.find(b"\n", command.end)
        found = _NOT_CONTINUED.search(raw[start : end if end >= 0 else None])
        if found is None or raw[command.end : start + found.start(1)].strip():  # in a comment, say
            return None
        return self.source.place(start + found.start(1), start + found.end(1))

    def option_behind(self, command: Command) -> Word | None:
        """What is meant for an option of a command, but begins the next one; None where nothing is."""
        behind = next((other for other in self.commands if other.start >= command.end), None)
        found = behind.words[0] if behind is not None and behind.words else None
        return found if found is not None and found.text.startswith("--") else None


def read(path: Path, content: bytes, is_call: re.Pattern[str]) -> Script:
    """Reads a script, and of its comments the commands that look like a call; nothing of it is run.

    Raises:
        InputError: it is no UTF-8 text, too large, or nests too deeply.
    """
    text = decoded(path, content)
    if len(text) > MAX_SIZE:
        raise InputError(f"has more than {MAX_SIZE} characters, which is too large for a script", Place(path))
    source = Source(path, _INLINE.sub(_blank, content.replace(b"\r\n", b"\n")))
    root = source.nodes()
    faults = [Fault(source.place(at), quote) for at, quote in source.faults(root)]
    if (at := content.find(b"\r\n")) >= 0:
        faults.insert(0, Fault(source.place(at), breaks=True))
    others = (Source(path, each) for each in _commented(source.raw, is_call))
    silent = tuple(command for other in others for command in Walk(other).commands(other.nodes()))
    return Script(content, source, tuple(Walk(source).commands(root)), silent, tuple(faults))


def comments(path: Path, text: str) -> list[tuple[int, str]]:
    """The comments of a script, those within a command too, each with the offset where it starts.

    Raises:
        InputError: it nests too deeply.
    """
    raw = text.encode()
    source = Source(path, _INLINE.sub(_blank, raw))
    found = {node.start_byte: source.of(node) for node in _below(source.nodes()) if node.type == "comment"}
    found |= {inline.start() + 1: inline[0][1:-1].decode() for inline in _INLINE.finditer(raw)}
    return [(len(raw[:at].decode()), comment) for at, comment in sorted(found.items())]


def _below(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _below(child)


def _commented(content: bytes, is_call: re.Pattern[str]) -> Iterator[bytes]:
    """The script with nothing left of it but one commented-out call, at its place."""
    lines = content.decode().split("\n")
    here = 0
    while here < len(lines):
        end = here + 1
        if _COMMENT.match(lines[here]) is None:
            here = end
            continue
        while end < len(lines) and _CONTINUED.search(lines[end - 1]) and _COMMENT.match(lines[end]):
            end += 1
        bare = [_bare(line) for line in lines[here:end]]
        if is_call.search("\n".join(bare)):
            yield "\n".join([*("" for _ in lines[:here]), *bare]).encode()
        here = end


def _blank(found: re.Match[bytes]) -> bytes:
    return b" " * len(found[0])


def _bare(line: str) -> str:
    return _COMMENT.sub(lambda found: " " * len(found[0]), line, count=1)
