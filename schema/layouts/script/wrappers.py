"""What stands in front of a call: which variables and words it passes on, and what of it no pair has."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.shelltext.words import Word

#: Options of torchrun that `swift rlhf` has variables for (4.5.2, cli/main.py:71 get_torchrun_args).
_TORCHRUN = ("nproc_per_node", "nnodes", "node_rank", "master_addr", "master_port")
_LAUNCHERS = ("torchrun", "torch.distributed.run", "torch.distributed.launch", "torch/distributed/run.py")
_OTHER_LAUNCHERS = ("accelerate", "deepspeed")
#: What gives a call none of the script's variables but those that it names.
_CONTAINERS = ("docker", "podman", "nerdctl", "kubectl")
_HOSTS = ("ssh",)
_ENV = ("-e", "--env")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
#: What makes no difference to a call, or is in a pair's ENV.
_PLAIN = re.compile(rf"(?:.*/)?(?:env|exec|python[\d.]*)|-[mu]|{_ASSIGNED.pattern}", re.DOTALL)
#: A word that a second shell leaves as it is.
_SAFE = re.compile(r"[\w@%+=:,./-]+")


class Wrapper(NamedTuple):
    """The words in front of a call, but no variable that bash itself sets."""

    words: tuple[Word, ...]

    @property
    def own(self) -> Sequence[Word]:
        """Those that run the call otherwise than a pair is run: a container, another machine, nohup, sudo."""
        launchers = (index for index, word in enumerate(self.words) if word.text.endswith(_LAUNCHERS))
        words = list(self.words[: next(launchers, None)])
        for end in (-1, 0):
            while words and _PLAIN.fullmatch(words[end].text):
                words.pop(end)
        return words

    @property
    def brief(self) -> str:
        """The same for messages, up to the first option."""
        words = [word.text for word in self.own]
        shown = list(takewhile(lambda word: not word.startswith("-"), words))
        return " ".join(shown if shown == words else [*shown, "..."])

    @property
    def where(self) -> str:
        """Where the call runs, as messages go on; nothing if that is here."""
        if self._has(_HOSTS):
            return " on another machine"
        return " in a container" if self._has(_CONTAINERS) else ""

    def passed(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The call's arguments: of those that ssh passes, a shell there reads some otherwise."""
        if not self._has(_HOSTS):
            return words
        return tuple(word if _SAFE.fullmatch(word.text) else word._replace(unknown=word.text) for word in words)

    def variables(self, script: Mapping[str, Word]) -> dict[str, Word]:
        """What the call finds in its environment, a launcher's options among it.

        The script's variables are those that it has exported by then, or set in front of the command.
        """
        if self._has(_CONTAINERS):
            variables = dict(self._given(script))
        else:
            variables = {**({} if self._has(_HOSTS) else script), **dict(_assigned(self.words))}
        if any(word.text.endswith(_LAUNCHERS) for word in self.words):
            given = dict(_launched(self.words))
            variables = {name: word for name, word in variables.items() if name.lower() not in _TORCHRUN} | given
            variables.setdefault(PROCESSES, self.words[0]._replace(text="1"))
        elif other := next((word for word in self.words if word.text in _OTHER_LAUNCHERS), None):
            variables[PROCESSES] = other._replace(unknown=f"{other.text} ...")
        return variables

    def _has(self, names: Sequence[str]) -> bool:
        return any(word.text.rpartition("/")[2] in names for word in self.words)

    def _given(self, script: Mapping[str, Word]) -> Iterator[tuple[str, Word]]:
        """What a container gets: by a file, by `-e NAME=value`, of the script's by `-e NAME`, and by env."""
        for index, (word, following) in enumerate(zip(self.words, (*self.words[1:], None), strict=True)):
            option, equals, value = word.text.partition("=")
            if option == "--env-file":
                yield PROCESSES, word._replace(unknown=option)
            elif option in _ENV and (assigned := word._replace(text=value) if equals else following) is not None:
                yield from _assigned([assigned])
                if assigned.text.isidentifier():
                    yield assigned.text, script.get(assigned.text, assigned._replace(unknown=f"${assigned.text}"))
            elif option == "env":
                yield from _assigned(self.words[index:])


def _assigned(words: Sequence[Word]) -> Iterator[tuple[str, Word]]:
    for word in words:
        if found := _ASSIGNED.fullmatch(word.text):
            yield found[1], word._replace(text=found[2])


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
