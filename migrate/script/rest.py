"""What a script does besides its calls, and what of them is in no file: it stays in the script."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.script.pair import carried
from schema import secrets
from schema.layouts.flat import server_half
from schema.place import shown
from schema.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.layouts.script import Script
    from schema.layouts.script.layout import Half
    from schema.place import Place
    from schema.shelltext.script import Script as Text
    from schema.shelltext.walk import Command


class Rest(NamedTuple):
    """What stays in a script.

    Attributes:
        content: the bytes that were read.
        left: what it does, each with its place.
    """

    content: bytes
    left: list[Left]


class Left(NamedTuple):
    """One thing that stays in a script."""

    place: Place
    text: str

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {"file": shown(self.place.file), "line": self.place.line, "text": self.text}


def rest(script: Script) -> Rest:
    """What a script does besides, in the order of its lines."""
    if script.text is None:
        return Rest(b"", [])
    found = [*_others(script, script.text), *_of_calls(script, script.text)]
    known = secrets.known(
        *({name: word.text for name, word in command.variables.items()} for command in script.text.commands)
    )
    left = [Left(place, secrets.starred_line(shortened(text), known)) for place, text in found]
    return Rest(script.text.read, sorted(left, key=lambda each: each.place))


def _others(script: Script, text: Text) -> Iterator[tuple[Place, str]]:
    ours = [half.call.command for half in (script.learner, script.rollout) if half is not None]
    for command in text.commands:
        if command.words and command not in ours:
            yield command.words[0].place, _line(text, command)


def _of_calls(script: Script, text: Text) -> Iterator[tuple[Place, str]]:
    path = script.resolved.path.with_suffix(".yaml")
    for half, file in ((script.learner, path), (script.rollout, server_half(path))):
        if half is not None:
            yield from _of_call(text, half, file.name)


def _of_call(text: Text, half: Half, file: str) -> Iterator[tuple[Place, str]]:
    wrapper = half.call.wrapper
    if wrapper.own:
        runs = f"{wrapper.brief} runs `swift {half.call.side}`{wrapper.where}; the pair does not"
        yield wrapper.own[0].place, runs
    for name, word in half.options.unknown.items():
        call = f"swift {half.call.side} {file} --{name} ..."
        yield word.place, f"--{name} {word.text} is not in {file}; pass it behind the file: {call}"
    for name, leaf in half.options.given.items():
        if not carried(name, leaf.value):
            yield leaf.key, f"{file} does not get a secret; pass it behind the file: --{name}"
    for word in half.options.open:
        yield (
            word.place,
            f"{word.text} is not in {file}, which is made as if it brought nothing; pass it behind the file",
        )
    for name, word in half.call.variables.items():
        if word.unknown or not carried(name, word.text):
            why = "only a shell knows it" if word.unknown else "it is a secret"
            yield word.place, f"{name} is not in {file}, because {why}; set it in the shell"
    if (tail := _tail(text, half.call.command)) and not half.call.silent:
        yield half.call.place, f"`swift {half.call.side}` goes on with: {tail}"


def _tail(text: Text, command: Command) -> str:
    # Redirections, a pipe, the background: the rest of the line.
    line = text.source.raw[command.end :].partition(b"\n")[0].decode(errors="replace")
    tail = line.strip().removesuffix("\\").strip()
    return "" if tail.startswith(("#", ";;")) or tail in (";", "}", ")", "fi", "done") else tail


def _line(text: Text, command: Command) -> str:
    first, *more = text.source.text(command.start, command.end).splitlines()
    return f"{first.removesuffix(chr(92)).strip()} ..." if more else first.strip()
