"""Which commands of a script call ms-swift, with which words and variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.layouts.script.wrappers import Wrapper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.place import Place
    from schema.shelltext.walk import Command
    from schema.shelltext.words import Word

#: A call, wherever it stands in a text: what a file without one is no script of.
MENTION = re.compile(
    r"\bswift\s+(?:\\\s*)?(?:rlhf|rollout)\b|\bswift[./]cli[./](?:_megatron[./])?(?:main|rlhf|rollout)\b"
    r"|\bmegatron\s+(?:\\\s*)?rlhf\b"
)
#: The arguments that start one: `swift rlhf`, and ms-swift's own modules and files (4.5.2, cli/main.py:14-27).
_SIDES = ("rlhf", "rollout")
_MODULE = re.compile(r"(?:.*/)?swift[./]cli[./](main|rlhf|rollout)(?:\.py)?")
#: Commands that only speak of others.
_SPEAKERS = ("echo", "printf", "grep", "pgrep", "pkill", "killall", "which", "cat", "man", "pip")
#: What may stand in front of a call that is commented out, besides variables.
_STARTERS = ("nohup", "exec", "python", "python3", "-m")


class Call(NamedTuple):
    """One call of ms-swift.

    Attributes:
        side: rlhf, or rollout.
        command: the whole command.
        words: its arguments.
        variables: what the script puts into its environment, a launcher's options among them.
        place: where it starts.
        silent: whether it stands in a comment.
        wrapper: what stands in front of it.
    """

    side: str
    command: Command
    words: tuple[Word, ...]
    variables: Mapping[str, Word]
    place: Place
    silent: bool
    wrapper: Wrapper


def calls(commands: Sequence[Command], *, silent: bool) -> Iterator[Call]:
    """The calls among some commands."""
    for command in commands:
        if (found := _found(command)) is not None:
            side, before, words = found
            if silent and not _is_meant(before, words):
                continue
            wrapper = Wrapper(before)
            variables, place = wrapper.variables(command.variables), command.words[0].place
            yield Call(side, command, wrapper.passed(words), variables, place, silent, wrapper)


def _is_meant(before: Sequence[Word], words: Sequence[Word]) -> bool:
    # Comments may speak of a call, too.
    return all(word.text in _STARTERS for word in before) and bool(words) and words[0].text.startswith("-")


def megatron(commands: Sequence[Command]) -> Word | None:
    """The first call of Megatron-SWIFT, which has arguments of its own."""
    for command in commands:
        texts = command.texts()
        for index, text in enumerate(texts[:-1]):
            if text.rpartition("/")[2] == "megatron" and texts[index + 1] in ("rlhf", "sft", "pt"):
                return command.words[index]
        if any("swift/cli/_megatron" in text or "swift.cli._megatron" in text for text in texts):
            return command.words[0]
    return None


def in_a_text(commands: Sequence[Command]) -> Word | None:
    """The first text that another shell is to run, and that calls ms-swift: `bash -c "..."`, `tmux new "..."`."""
    run = (command for command in commands if command.words and command.words[0].text not in _SPEAKERS)
    return next((word for command in run for word in command.words if MENTION.search(word.text)), None)


def _found(command: Command) -> tuple[str, tuple[Word, ...], tuple[Word, ...]] | None:
    """The side, what stands before the call, and its arguments."""
    texts = command.texts()
    if not texts or texts[0] in _SPEAKERS:
        return None
    for index, text in enumerate(texts):
        module = _MODULE.fullmatch(text)
        following = texts[index + 1] if index + 1 < len(texts) else ""
        words = command.words
        if module and module[1] in _SIDES:
            return module[1], words[:index], words[index + 1 :]
        if (module or text.rpartition("/")[2] == "swift") and following in _SIDES:
            return following, words[:index], words[index + 2 :]
    return None
