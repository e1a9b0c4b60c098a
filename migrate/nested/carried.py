"""Which entries of a server's block come back to the learner, with which value, and why the others do not."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from migrate.names import DATA
from migrate.names import FITTED
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import SHARE
from migrate.names import TENSOR
from migrate.nested.to_server import DROPPED
from migrate.yamledit.edits import KEEP
from schema.layouts.nested import SERVER_BLOCK
from schema.split import decide
from schema.swift.roles import UNREAD_IN_COLOCATE
from schema.swift.roles import Role
from schema.swift.roles import role_of
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Mapping

    from migrate.nested.part import Part

ACTS = "the learner's own engine acts on it"
UNREAD = "nothing reads it in colocate mode; kept for a return to server mode"
REASONS = {
    SHARE: f"engine and learner share the GPU, so at most {decide.SHARED_SHARE}; its value before server mode"
    " is not known",
    TENSOR: "an engine spans as many GPUs as before, and must divide the number of learners",
    LENGTH: "without it the engine takes the model's own length",
}
HIDDEN = "the base's value counts again"


def came_back(name: str, value: object, given: Mapping[str, object]) -> object:
    """What a setting of the server is in colocate mode, if it comes back: the caller's value, else its own.

    Beside a learner an engine gets less of the memory.
    """
    if name == SHARE and name not in given and isinstance(value, int | float):
        return min(value, decide.SHARED_SHARE)
    return given.get(name, value)


def why_back(name: str, given: Container[str]) -> str:
    """Why it comes back with that value."""
    if name in given:
        return decide.CALLER
    return UNREAD if name in UNREAD_IN_COLOCATE else REASONS.get(name, ACTS)


def is_default(name: str, value: object) -> bool:
    """Whether a setting says what colocate mode does without it."""
    return same(value, {TENSOR: decide.DEFAULT_TENSOR, LORA: False}.get(name, KEEP))


class Carried:
    """The engine settings of one file of a server-mode preset, seen from colocate mode.

    Attributes:
        part: the file.
    """

    def __init__(self, part: Part) -> None:
        self.part = part

    @cached_property
    def masks(self) -> dict[tuple[str, str], object]:
        """Nulls that keep a base's settings from a learner in server mode, by path, and what the base says."""
        nulls = self.part.nulls() if self.part.changes_mode else ()
        hidden = {path: self.part.below.tree.value(*path) for path in nulls if self._moved_away(path[-1])}
        return {path: value for path, value in hidden.items() if value is not None}

    def _moved_away(self, name: str) -> bool:
        role, block = role_of(name), self.part.preset.tree.find(*SERVER_BLOCK, name)
        return role is Role.COLOCATE or (role is Role.SERVER and (block is not None or name in DROPPED))

    @cached_property
    def wanted(self) -> dict[str, object]:
        """What the caller says.

        Raises:
            InputError: a prompt can fill the length.
        """
        return {name: value for name, value in self.part.given_to_learner().items() if value is not None}

    def lost(self, name: str, value: object) -> str | None:
        """Why an entry of the block does not come back, or None if it does."""
        hidden = [base for (_, masked), base in self.masks.items() if masked == name][-1:]  # a later section wins
        reasons = {
            "nothing reads it in colocate mode": not self.part.changes_mode,
            "only a server accepts it": role_of(name) is not Role.SERVER,
            "the learner's arguments of this file set it already": name in self._own_names,
            HIDDEN: any(name in (*FITTED, LORA) or same(base, value) for base in hidden),
            decide.CALLER: name in self.wanted and not self.part.leads,
            "it sets nothing": value is None and self.part.below.tree.find("rlhf", name) is None,
            "in colocate mode every engine has its own learners": name == DATA,
            "it is the default": is_default(name, value) and self._speaks_alone(name),
            "--to server adds it from global_max_length": self._is_added_length(name, value),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    @cached_property
    def _own_names(self) -> set[str]:
        return {setting.name for setting in self.part.settings}

    def _is_added_length(self, name: str, value: object) -> bool:
        if name != LENGTH or self.part.preset.limit is None or not self.part.changes_mode:
            return False
        inherited = self.part.was_below.tree.value(*SERVER_BLOCK, LENGTH)
        adds = inherited is None or self.part.needs.fills(inherited)
        added = decide.length(None, None, self.part.needs).value
        return adds and same(value, added) and self._speaks_alone(name)

    def _speaks_alone(self, name: str) -> bool:
        # No base says otherwise, nor the caller, and nobody wrote a comment about it.
        is_set = name in self.wanted or self.part.below.tree.find("rlhf", name) is not None
        return not is_set and not self.part.comments((*SERVER_BLOCK, name))
