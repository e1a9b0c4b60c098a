"""What becomes of each setting in the other mode, and why, whatever the layout."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING
from typing import ClassVar
from typing import Generic
from typing import TypeVar

from migrate.aim import Aim
from migrate.home import NOTHING
from migrate.migration import Group
from migrate.migration import Migration
from migrate.names import COMPLETE
from migrate.names import DATA
from migrate.names import DROPPED
from migrate.names import FITTED
from migrate.names import GIVEN
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import ORDER
from migrate.names import RANK
from migrate.names import REQUIRED
from migrate.names import SHARE
from migrate.names import TENSOR
from migrate.names import URL
from migrate.yamledit.steps import apply
from schema.split import decide
from schema.swift import argument
from schema.swift.adapters import DEFAULT_RANK
from schema.swift.adapters import RANKS
from schema.swift.roles import UNREAD_IN_COLOCATE
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of
from schema.yamltext import parse
from schema.yamltext.edit import KEEP
from schema.yamltext.edit import Add
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from migrate.home import Home
    from schema.layouts.preset import Setting
    from schema.yamltext.edit import Edit

A = TypeVar("A", bound=Aim)
UNSET = "it was not set: colocate up to ms-swift 3.11.0 unless a server is named, an error in later releases"
NEVER_READ = "in server mode only the rollout server acts on it"
COLOCATE_ONLY = "it acts in colocate mode only"
#: Settings of a connection; vllm_mode and use_vllm have their own place.
ADDRESS = tuple(name for name in fields(Role.CONNECT) if name.startswith("vllm_server_"))
#: Why a setting comes back, by name.
_REASONS = {
    **dict.fromkeys(UNREAD_IN_COLOCATE, "nothing reads it in colocate mode; kept for a return to server mode"),
    SHARE: f"engine and learner share the GPU, so at most {decide.SHARED_SHARE}; its value before server mode"
    " is not known",
    TENSOR: "an engine spans as many GPUs as before, and must divide the number of learners",
    LENGTH: "without it the engine takes the model's own length",
}
#: What colocate mode does where nothing is said.
_DEFAULTS = {TENSOR: decide.DEFAULT_TENSOR, LORA: False}
_ORDER = (*ORDER, *fields(Role.BOTH))


class Direction(ABC, Generic[A]):
    """The edits of one preset of a call, whatever its layout; a layout adds what only it has."""

    #: The reason why vllm_mode changes.
    why: ClassVar[str]

    def __init__(self, aim: A) -> None:
        self.aim = aim

    @abstractmethod
    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""

    def edited(self) -> Group:
        """The files of the preset, migrated.

        Raises:
            InputError: the migration is refused.
        """
        aim = self.aim
        old = {home.file: home.document for home in (aim.learner, aim.server)}
        new, steps = apply(old, self.edits(), aim.going)
        files = [
            Migration(
                path,
                document,
                parse(path, b"") if path in aim.going else new[path],
                [step for step in steps if step.touches(path)],
                there=aim.context.workspace.has(path),
                goes=path in aim.going,
            )
            for path, document in old.items()
        ]
        return Group([file for file in files if file.there or file.steps], steps)

    def set_mode(self) -> Iterator[Edit]:
        """The edit of vllm_mode, where the file says it, or has to."""
        home, mode = self.aim.learner, self.aim.target.to
        leaf = home.own.leaf(*home.path("vllm_mode"))
        if leaf is not None and leaf.value != mode:
            yield home.add("vllm_mode", mode, self.why)
        elif self.aim.sets_mode:
            why = self.why if self.aim.after.explicit_mode else UNSET
            yield home.add("vllm_mode", mode, why, "use_vllm" if home.says("use_vllm") else None)

    def set_given(self, home: Home, given: Mapping[str, object], edits: Sequence[Edit]) -> Iterator[Edit]:
        """The edits that let what the caller gives win over what is there, here or in a base."""
        for name, value in given.items():
            knows = home.says(name) or self.aim.knows_mode
            wanted = self.aim.spelled(home.value(name), value)
            if knows and not home.is_written(edits, name) and not same(home.value(name), wanted):
                yield home.add(name, wanted, GIVEN.get(name, decide.CALLER))


def first(reasons: Mapping[str, bool]) -> str | None:
    """The first reason that holds."""
    return next((reason for reason, holds in reasons.items() if holds), None)


class ToServer(Direction[A]):
    """From colocate mode to server mode."""

    why = "rollouts leave the learner's GPUs"

    def connected(self, address: Mapping[str, object]) -> dict[str, object]:
        """An address as the learner's arguments say it."""
        listed = {name: self.aim.listed(address[name]) for name in ("host", "port") if name in address}
        return {f"vllm_server_{name}": value for name, value in {**address, **listed}.items()}

    def address(self, wanted: Mapping[str, object]) -> Iterator[Edit]:
        """Where the learner connects, if nothing says so yet; host and port say it where a URL did."""
        home, after = self.aim.learner, "vllm_mode" if self.aim.says_mode else None
        if not self.aim.leads or self.aim.keeps_url:
            return
        urls = [setting for setting in self.aim.settings if setting.name == URL]
        for name, value in self.connected(wanted).items():
            now = home.value(name)
            beaten = urls and name != "vllm_server_timeout" and not same(now, value)
            if now is None or beaten:
                yield home.add(name, value, "the learner connects there", after)
            elif not home.says(name):
                continue
            after = name
        for url in urls:
            yield Remove(url.steps, "vllm_server_host and vllm_server_port replace it", file=self.aim.path)

    def engine(self) -> Iterator[Edit]:
        """Every engine setting goes to the server; what is missing there comes."""
        for name in ORDER:
            edits = [self._moved(setting) for setting in self.aim.settings if setting.name == name]
            edits += self.copied(name)
            come = any(isinstance(edit, Move | Add) for edit in edits)
            if self.aim.server.is_blank(name) and any(isinstance(edit, Move) for edit in edits):
                yield self.aim.server.remove(name, self.aim.learner.has_it)
            yield from edits
            if name in self.completed and self.aim.server.value(name) is None and not come:
                yield self.aim.server.add(name, *self.aim.served(name, self.aim.preset.value(name)))

    def copied(self, name: str) -> list[Edit]:  # noqa: ARG002 - a layout may have bases
        """The edits that give the server what a base says to the engine."""
        return []

    def _moved(self, setting: Setting) -> Edit:
        name, path = setting.name, setting.steps
        if lost := self._lost(setting):
            return Remove(path, lost, file=self.aim.path)
        home, (new, reason) = self.aim.server, self.aim.served(name, setting.value)
        kept = same(new, setting.value)
        why = NEVER_READ if kept else f"{NEVER_READ}; {reason}"
        return Move(path, home.path(name), why, KEEP if kept else new, file=self.aim.path, into=home.file)

    def _lost(self, setting: Setting) -> str | None:
        name, winner = setting.name, self.aim.preset.arguments.get(setting.name)
        fitted = name in FITTED and self.aim.changes_mode and not self.aim.leads
        reasons = {
            DROPPED.get(name, ""): name in DROPPED and not (name == RANK and self.aim.keeps_adapters),
            "a later section of the preset overrides it": winner is None or winner.section != setting.section,
            self.aim.server.says_it: self.aim.server.says(name),
            "it was for GPUs shared with the learner; the split's value counts": fitted,
        }
        return first(reasons)

    @cached_property
    def completed(self) -> tuple[str, ...]:
        """What the server gets where nothing says it."""
        if not self.aim.leads:
            return ()
        if not self.aim.changes_mode:
            return REQUIRED
        raises = self.aim.keeps_adapters and self.aim.served(RANK, None).value != DEFAULT_RANK
        return (*COMPLETE, RANK) if raises else COMPLETE

    def longer(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        """The length of a server that is there, here or in a base, but that a prompt of this preset can fill."""
        home = self.aim.server
        if self.aim.needs.fills(home.value(LENGTH)) and not home.is_written(edits, LENGTH):
            yield home.add(LENGTH, *self.aim.served(LENGTH, None))

    def gone(self) -> Iterator[Edit]:
        """What acts in colocate mode only goes."""
        for setting in self.aim.settings:
            if role_of(setting.name) is Role.COLOCATE:
                yield Remove(setting.steps, COLOCATE_ONLY, file=self.aim.path)


def unread(setting: Setting) -> str | None:
    """Why a learner in server mode does not read a setting, if it does not."""
    return {Role.SERVER: NEVER_READ, Role.COLOCATE: COLOCATE_ONLY}.get(role_of(setting.name) or Role.BOTH)


class ToColocate(Direction[A]):
    """From server mode to colocate mode."""

    why = "the engine returns to the learner's GPUs; its earlier sleep_level and offload settings are not known"

    def address(self) -> Iterator[Edit]:
        """What connects to a server, or needs one, goes."""
        for setting in self.aim.settings:
            if why := needs_server(setting):
                yield Remove(setting.steps, why, file=self.aim.path)

    def engine(self) -> Iterator[Edit]:
        """The server's settings come back, or go; the engine gets its share of memory, and what is given."""
        after = "vllm_mode" if self.aim.says_mode else None
        names = {**self.inherited, **self.aim.server.entries, **self._completed}
        for name in sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)):
            for edit in self._entry(name, after):
                yield edit
                after = name if isinstance(edit, Move | Add) else after

    @property
    def inherited(self) -> Mapping[str, object]:
        """What a server's block says that stays in a base."""
        return {}

    @property
    def masks(self) -> Mapping[tuple[str, ...], object]:
        """Nulls that keep a base's settings from a learner in server mode, by path, and what the base says."""
        return {}

    @cached_property
    def _completed(self) -> dict[str, object]:
        if not (self.aim.leads and self.aim.changes_mode):
            return {}
        return {SHARE: decide.SHARED_SHARE, **self.aim.given_to_engine}

    def _entry(self, name: str, after: str | None) -> Iterator[Edit]:
        entries, home = self.aim.server.entries, self.aim.learner
        if name in entries:
            yield from self._moved(name, entries[name], after)
        completes = name in self._completed and entries.get(name) in NOTHING and name not in self.inherited
        if completes and self.aim.after.value(name) is None:
            yield home.add(name, self._completed[name], self._why(name), after)
        elif name not in entries and name in self.inherited and not self._lost(name, self.inherited[name]):
            yield home.add(name, self._value(name, self.inherited[name]), self._why(name), after)

    def _moved(self, name: str, value: object, after: str | None) -> Iterator[Edit]:
        home, server = self.aim.learner, self.aim.server
        if lost := self._lost(name, value):
            yield server.remove(name, f"not carried over: {lost}")
            return
        if home.is_blank(name) and home.path(name) not in self.masks:
            yield home.remove(name, server.has_it)
        new = self._value(name, value)
        yield home.take(name, self._why(name), server, KEEP if same(new, value) else new, after)

    def _value(self, name: str, value: object) -> object:
        # Beside a learner an engine gets less of the memory.
        if name == SHARE and name not in self.aim.given_to_engine and isinstance(value, int | float):
            return min(value, decide.SHARED_SHARE)
        return self.aim.given_to_engine.get(name, value)

    def _why(self, name: str) -> str:
        given = name in self.aim.given_to_engine
        return decide.CALLER if given else _REASONS.get(name, "the learner's own engine acts on it")

    def _lost(self, name: str, value: object) -> str | None:
        # Why a setting of the server does not come back, if it does not.
        role, own = role_of(name), {setting.name for setting in self.aim.settings}
        comes = role is Role.SERVER or (role is Role.BOTH and self.aim.preset.apart)
        reasons = {
            "nothing reads it in colocate mode": not self.aim.changes_mode,
            "in colocate mode nothing listens": role is Role.LISTEN and self.aim.preset.apart,
            self.aim.learner.says_it: name in own,
            "it sets nothing": value in NOTHING and not self.aim.inherits(name),
            "it was for the server alone": not comes and name in self.aim.context.release.trainer,
            "only a server accepts it": not comes,
            **self.stays(name, value),
            "in colocate mode every engine has its own learners": name == DATA,
            "vLLM makes no engine for just this rank; it gets merged weights": self._is_odd(name, value),
            "it is the default": same(value, _DEFAULTS.get(name, KEEP)) and self.speaks_alone(name),
        }
        return first(reasons)

    def _is_odd(self, name: str, value: object) -> bool:
        # A server has a vllm_max_lora_rank of its own, a learner's engine takes lora_rank (colocate-lora).
        adapts = name == LORA and argument.truth(value) is True and self.aim.context.values.tuner == "lora"
        return adapts and self.aim.context.trainer.config.lora_rank not in RANKS

    def stays(self, name: str, value: object) -> dict[str, bool]:  # noqa: ARG002 - a layout may have bases
        """More reasons why a setting may not come back."""
        return {}

    def speaks_alone(self, name: str) -> bool:
        """Whether no base says otherwise, nor the caller, and nobody wrote a comment about it."""
        overridden = name in self.aim.given_to_engine or self.aim.inherits(name)
        return not overridden and not self.aim.server.comments(name)


def needs_server(setting: Setting) -> str | None:
    """Why a setting is of no use without a server, if it is not."""
    if setting.name in ADDRESS:
        return "in colocate mode there is no server to connect to"
    if setting.name == "async_generate" and setting.value is not False:
        return "ms-swift refuses it without a server"  # 4.5.2, arguments/rlhf_args.py:454-458
    return None
