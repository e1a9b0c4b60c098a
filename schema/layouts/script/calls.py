"""Which commands of a script call ms-swift, with which words and variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.place import Place
    from schema.shelltext import Command
    from schema.shelltext import Word

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
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
#: Options of torchrun that `swift rlhf` has variables for (4.5.2, cli/main.py:71 get_torchrun_args).
_TORCHRUN = ("nproc_per_node", "nnodes", "node_rank", "master_addr", "master_port")
_LAUNCHERS = ("torchrun", "torch.distributed.run", "torch.distributed.launch", "torch/distributed/run.py")
_OTHER_LAUNCHERS = ("accelerate", "deepspeed")


class Call(NamedTuple):
    """One call of ms-swift.

    Attributes:
        side: rlhf, or rollout.
        command: the whole command.
        words: its arguments.
        variables: what the script puts into its environment, a launcher's options among them.
        place: where it starts.
        silent: whether it stands in a comment.
    """

    side: str
    command: Command
    words: tuple[Word, ...]
    variables: Mapping[str, Word]
    place: Place
    silent: bool


def calls(commands: Sequence[Command], *, silent: bool) -> Iterator[Call]:
    """The calls among some commands."""
    for command in commands:
        if (found := _found(command)) is not None:
            side, before, words = found
            if silent and not _is_meant(before, words):
                continue
            yield Call(side, command, words, _variables(command, before), command.words[0].place, silent)


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


def _variables(command: Command, before: Sequence[Word]) -> dict[str, Word]:
    said = dict(command.variables)
    texts = [word.text for word in before]
    if "env" in texts:
        for word in before:
            if found := _ASSIGNED.fullmatch(word.text):
                said[found[1]] = word._replace(text=found[2])
    if any(text.endswith(_LAUNCHERS) for text in texts):
        given = dict(_launched(before))
        said = {name: word for name, word in said.items() if name.lower() not in _TORCHRUN} | given
        said.setdefault(PROCESSES, before[0]._replace(text="1"))
    elif other := next((word for word in before if word.text in _OTHER_LAUNCHERS), None):
        said[PROCESSES] = other._replace(unknown=f"{other.text} ...")
    return said


def _launched(before: Sequence[Word]) -> Iterator[tuple[str, Word]]:
    """The variables that a torchrun's options stand for."""
    for index, word in enumerate(before):
        option, equals, value = word.text.partition("=")
        name = option.lstrip("-").replace("-", "_")
        if option.startswith("--") and name in _TORCHRUN:
            if equals:
                yield name.upper(), word._replace(text=value)
            elif index + 1 < len(before):
                yield name.upper(), before[index + 1]
