"""A script as a preset: the same arguments as a flat pair has, with their places in the script."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.layouts.flat import arguments_of
from schema.layouts.flat import fields
from schema.layouts.preset import ADDRESSES
from schema.layouts.preset import OTHER_ALGORITHMS
from schema.layouts.preset import Asked
from schema.layouts.preset import Kind
from schema.layouts.script.calls import MENTION
from schema.layouts.script.calls import Call
from schema.layouts.script.calls import calls
from schema.layouts.script.calls import in_a_text
from schema.layouts.script.calls import megatron
from schema.layouts.script.options import Options
from schema.layouts.script.options import options
from schema.layouts.script.watched import Watched
from schema.place import Place
from schema.resolve import Resolved
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.shelltext import dialect
from schema.shelltext import script
from schema.split.gpus import processes
from schema.swift import variables
from schema.swift.variables import NODES
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path

    from schema.layouts.preset import Setting
    from schema.resolve import Project
    from schema.resolve import Tree
    from schema.shelltext.words import Word

_SIDES = {"trainer": "rlhf", "server": "rollout"}
#: Exported variables that decide what a side does; others a script may fill as it likes.
_TELLING = {"CUDA_VISIBLE_DEVICES", "VLLM_USE_V1", *variables.TEXTS, *variables.MEDIA, *variables.ALLOCATORS}
_TELLING |= {*variables.DISTRIBUTED}


@dataclass(frozen=True)
class Half:
    """One call: its arguments, its variables, and what only a shell knows of them.

    Attributes:
        call: the call.
        options: its arguments.
        is_cut: whether it ends before the arguments that are meant.
    """

    call: Call
    options: Options
    is_cut: bool = False

    @property
    def unknown(self) -> dict[str, Word]:
        """Arguments and variables whose values only a shell knows."""
        return {**self.options.unknown, **{name: word for name, word in self._variables if word.unknown}}

    @property
    def _variables(self) -> Iterator[tuple[str, Word]]:
        for name, word in self.call.variables.items():
            if not word.unknown or name in self.call.command.own or name in _TELLING:
                yield name, word

    @property
    def is_open(self) -> bool:
        """Whether arguments may come that nobody here knows, or the call ends before those that are meant."""
        return bool(self.options.open) or self.is_cut

    def absent(self, asked: Asked) -> None:
        """Notes that an argument is asked for that is not set."""
        asked.value |= self.is_cut
        asked.absent |= self.is_open

    def tree(self, asked: Asked) -> Branch:
        """The arguments, and the variables as `ENV`."""
        place = self.call.place
        children: dict[object, Tree] = dict(self.options.given.items())
        known: dict[object, Tree] = {
            name: Leaf(word.text, word.place, word.place) for name, word in self._variables if not word.unknown
        }
        if known:
            first = next(iter(known.values())).place
            children[ENVIRONMENT] = Branch(known, first, first)
        return Branch(Watched(children, self, asked), place, place)


@dataclass(frozen=True, eq=False)
class Script(Flat):
    """A preset in the layout of scripts.

    Attributes:
        learner: the call of `swift rlhf`, or None where there is none.
        rollout: the call of `swift rollout`, or None.
        text: the whole script.
        shell: the shell that it is for, and why it is not read; "" where it is read as bash.
        siblings: of the first call of `swift rlhf`, the others.
        asked: whether anybody asked for what only a shell knows.
    """

    layout = "script"

    learner: Half | None
    rollout: Half | None
    text: script.Script | None
    shell: str = ""
    siblings: tuple[Script, ...] = ()
    asked: Asked = field(default_factory=Asked, compare=False)

    def noting(self, names: Iterable[str]) -> Asked:
        """Forgets what was asked so far, counts some arguments as asked, and returns what later ones change."""
        self.asked.value = self.asked.absent = False
        for half, side in ((self.learner, "trainer"), (self.rollout, "server")):
            if half is not None and any(name in fields(side) and name not in half.options.given for name in names):
                half.absent(self.asked)
        return self.asked

    @property
    def runs(self) -> tuple[Script, ...]:
        """Each call of `swift rlhf`."""
        return (self, *self.siblings)

    @property
    def quotes(self) -> list[script.Fault]:
        """Quotes that are left open, so that nobody knows where the calls end."""
        return [fault for fault in self.text.faults if fault.quote] if self.text else []

    @cached_property
    def kind(self) -> Kind:
        """What the script is, judged by its call of `swift rlhf`."""
        if self.quotes:
            return Kind.BROKEN
        if self.learner is None:
            return Kind.FOREIGN if self.rollout is None else Kind.COMPONENT
        if self.learner.options.config is not None:
            return Kind.OTHER
        algorithm = self.learner.options.given.get("rlhf_type")
        if algorithm is None and self.learner.is_cut:
            return Kind.GRPO
        return Kind.OTHER if algorithm is None or algorithm.value in OTHER_ALGORITHMS else Kind.GRPO

    @property
    def is_of_rollouts(self) -> bool:
        """Whether it has a call of a GRPO run, or of a server."""
        return self.kind in (Kind.GRPO, Kind.COMPONENT, Kind.BROKEN)

    @property
    def called(self) -> str:
        """What the script is, for messages."""
        if self.shell:
            return f"a script for {self.shell}"
        if self.learner is None and self.text and (found := megatron(self.text.commands)) is not None:
            return f"a script that calls Megatron-SWIFT (line {found.place.line}), whose arguments are others"
        if self.learner is not None and (config := self.learner.options.config) is not None:
            return f"a script whose `swift rlhf` reads {config.text}; check that file"
        options = self.learner.options if self.learner else None
        if options and ("rlhf_type" in options.unknown or (options.open and "rlhf_type" not in options.given)):
            return "a script whose rlhf_type only a shell knows"
        if self.kind is Kind.FOREIGN and self.text and (word := in_a_text(self.text.commands)) is not None:
            return f"a script whose call, in a text for another shell (line {word.place.line}), is not read"
        kinds = {Kind.FOREIGN: "a script without a call of `swift rlhf` or `swift rollout`"}
        kinds[Kind.COMPONENT] = "a script that starts a server alone"
        return kinds.get(self.kind, self.kind.value)

    @cached_property
    def arguments(self) -> dict[str, Setting]:
        """What the learner gets, by name."""
        known = {setting.name: setting for setting in self.passed}
        if self.learner is None:
            return known
        return Watched(known, self.learner, self.asked)

    @cached_property
    def block(self) -> Branch | None:
        """The arguments of `swift rollout`, or None."""
        if self.server is None or self.rollout is None:
            return None
        known: dict[object, Tree] = {**dict(arguments_of(self.server, "server"))}
        return self.server._replace(children=Watched(known, self.rollout, self.asked))

    @property
    def unknown(self) -> Mapping[str, Word]:
        """What only a shell knows of either side."""
        return {**(self.rollout.unknown if self.rollout else {}), **self._own_unknown}

    @property
    def _own_unknown(self) -> Mapping[str, Word]:
        return self.learner.unknown if self.learner else {}

    @cached_property
    def explicit_mode(self) -> object:
        """The value of vllm_mode, or a word for it where only a shell knows; None if it is unset."""
        brought = self.learner is not None and self.learner.is_open and self.value("vllm_mode") is None
        if brought or "vllm_mode" in self._own_unknown:
            return "known to a shell alone"
        if self.value("vllm_mode") is None and not {*ADDRESSES}.isdisjoint(self._own_unknown):
            return "server"
        return self.value("vllm_mode")

    def is_silent(self, place: Place) -> bool:
        """Whether a place is in a call that is commented out."""
        if self.rollout is None or not self.rollout.call.silent:
            return False
        command = self.rollout.call.command
        return command.first <= place.line <= command.last

    def path(self, name: str) -> str:
        """The option."""
        return f"--{name}"

    def server_path(self, name: str = "") -> str:
        """The call of `swift rollout`, and the option."""
        return f"`swift rollout` --{name}" if name else "`swift rollout`"

    @property
    def learner_path(self) -> str:
        """The call of `swift rlhf`."""
        return "`swift rlhf`"

    @property
    def environment(self) -> str:
        """In front of the call."""
        return "front of the call"

    def variable_path(self, name: str) -> str:
        """The variable itself."""
        return name

    def missing(self) -> Iterator[tuple[str, Place]]:
        """As in a flat pair, less what a shell may say."""
        shells = (
            *self._own_unknown,
            *(("model", "dataset") if self.learner and self.learner.is_open else ()),
        )
        theirs = self.rollout is not None and (self.rollout.is_open or "model" in self.rollout.unknown)
        for path, place in super().missing():
            if path not in shells and not (theirs and path == self.server_path("model")):
                yield path, place

    @property
    def processes(self) -> int | None:
        """Learners on one node: what the call or its torchrun says, else 1; None where only a shell knows."""
        if {PROCESSES, NODES} & self._own_unknown.keys():
            return None
        return processes(self.variables("learner").get(PROCESSES, "1"))

    @property
    def learners_source(self) -> str:
        """The variables that say it."""
        names = [name for name in (PROCESSES, NODES) if name in self.variables("learner")]
        return f"{' x '.join(names)} of the call" if names else "NPROC_PER_NODE, which is not set,"

    @property
    def start(self) -> Place:
        """Where the call begins."""
        half = self.learner or self.rollout
        return half.call.place if half else Place(self.resolved.path)


def read_script(path: Path, content: bytes, project: Project) -> Script:
    """Reads a script.

    Raises:
        InputError: it calls ms-swift, and is no text, too large, or nests too deeply.
    """
    if MENTION.search(content.decode(errors="replace")) is None:
        return _made(path, project, None, None, None)
    shell = dialect.other_shell(path, content)
    if shell not in ("", "zsh"):
        return _unread(path, project, f"{shell}, which is not read; only bash is")
    text = script.read(path, content, MENTION)
    found = [*calls(text.commands, silent=False), *calls(text.silent, silent=True)]
    differing = dialect.otherwise_in_zsh(text) if shell else []
    if call := next((call for call in found if call.command in differing), None):
        why = f"makes other words of the call in line {call.place.line} than bash; put its variables in quotes"
        return _unread(path, project, f"zsh, which {why}")
    learners = [call for call in found if call.side == "rlhf" and not call.silent]
    made = [_made(path, project, text, call, _server_of(call, found)) for call in (*learners, None)]
    made = made[:-1] or made
    first = next((preset for preset in made if preset.kind is Kind.GRPO), made[0])
    others = tuple(preset for preset in made if preset is not first and preset.kind is Kind.GRPO)
    return replace(first, siblings=others)


def _unread(path: Path, project: Project, shell: str) -> Script:
    return replace(_made(path, project, None, None, None), shell=shell)


def _server_of(learner: Call | None, found: list[Call]) -> Call | None:
    """The server of a learner: the last one that is started before it, else the next, else a commented-out one."""
    live = [call for call in found if call.side == "rollout" and not call.silent]
    before = [call for call in live if learner is not None and call.command.start < learner.command.start]
    silent = [call for call in found if call.side == "rollout" and call.silent]
    return next(iter([*before[-1:], *live, *silent]), None)


def _asks_a_server(learner: Half) -> bool:
    # A colocate script may keep the call of a server in a comment.
    mode = learner.options.given.get("vllm_mode")
    return mode is None or mode.value == "server"


def _is_cut(text: script.Script | None, call: Call) -> bool:
    if text is None or call.silent:
        return False
    return text.blank_behind(call.command) is not None or text.option_behind(call.command) is not None


def _made(
    path: Path, project: Project, text: script.Script | None, learner: Call | None, server: Call | None
) -> Script:
    asked = Asked()
    halves = [
        Half(call, options(call.words, fields(side)), is_cut=_is_cut(text, call)) if call else None
        for call, side in ((learner, "trainer"), (server, "server"))
    ]
    if halves[0] and halves[1] and halves[1].call.silent and not _asks_a_server(halves[0]):
        halves[1] = None
    nothing = Branch({}, Place(path), Place(path))
    own, other = (half.tree(asked) if half else None for half in halves)
    return Script(Resolved(path, (path,), own or nothing), project, other, halves[0], halves[1], text, asked=asked)
