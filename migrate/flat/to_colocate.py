"""Which edits turn a pair back into one flat colocate preset; the server's file goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.batch import rescaled
from migrate.flat.environment import joined
from migrate.names import DATA
from migrate.names import SHARE
from migrate.nested.carried import came_back
from migrate.nested.carried import is_default
from migrate.nested.carried import why_back
from migrate.nested.direction import UNSET
from migrate.nested.to_colocate import ToColocate
from migrate.nested.to_colocate import needs_server
from migrate.nested.to_server import ORDER
from migrate.yamledit import document as text
from migrate.yamledit.edits import KEEP
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Change
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Remove
from migrate.yamledit.edits import at
from schema.layouts.flat import ENVIRONMENT
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split import decide
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from migrate.flat.pair import Pair
    from migrate.yamledit.edits import Edit

#: The order in which settings come back, after vllm_mode.
_ORDER = (*ORDER, *fields(Role.BOTH))


def edits(pair: Pair) -> list[Edit]:
    """The edits of both files, in the order in which they are made; the server's holds nothing of use after them.

    Raises:
        InputError: no whole number keeps the global batch, or a key cannot be moved.
    """
    made = _Edits(pair)
    if not pair.changes_mode:
        made.given()
    else:
        made.mode()
        made.address()
        made.engine()
    batch = at(pair.path, rescaled(pair, pair.preset.tree, pair.preset))
    return [*made.edits, *batch, *joined(pair)]


class _Edits:
    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._after = "vllm_mode"
        self._given = {name: value for name, value in pair.given_to_learner().items() if value is not None}
        self.edits: list[Edit] = []

    def _learner(self, edit: Edit) -> None:
        self.edits += at(self._pair.path, [edit])

    def _server(self, edit: Edit) -> None:
        self.edits += at(self._pair.server_path, [edit])

    def mode(self) -> None:
        if self._pair.preset.tree.leaf("vllm_mode") is None:
            self._learner(Add(("vllm_mode",), "colocate", UNSET, "use_vllm"))
        else:
            self._learner(Change(("vllm_mode",), "colocate", ToColocate.why))

    def given(self) -> None:
        for name, value in self._given.items():
            if not same(self._pair.preset.value(name), value):
                self._learner(Add((name,), value, decide.CALLER))

    def address(self) -> None:
        for setting in self._pair.preset.arguments.values():
            if why := needs_server(setting):
                self._learner(Remove(setting.steps, why))

    def engine(self) -> None:
        block = self._pair.preset.block
        settings = {str(name): data(tree) for name, tree in block.children.items()} if block else {}
        wanted = {SHARE: decide.SHARED_SHARE, **self._given}
        for name in sorted({**settings, **wanted}, key=_rank):
            if name not in settings:
                self._add(name, wanted[name])
            elif lost := self._lost(name, settings[name], wanted):
                self._server(Remove((name,), f"not carried over: {lost}"))
            else:
                self._send(name, settings[name])
        self._drop_nulls()

    def _drop_nulls(self) -> None:
        # They say nothing, but stand in a file that goes.
        server, block = self._pair.preset.server, self._pair.preset.block
        for name, tree in server.children.items() if server else ():
            variables = name == ENVIRONMENT and isinstance(tree, Branch)
            if not variables and (block is None or name not in block.children):
                self._server(Remove((str(name),), "not carried over: it sets nothing"))

    def _add(self, name: str, value: object) -> None:
        if self._pair.preset.value(name) is None:
            self._learner(Add((name,), value, why_back(name, self._given), self._after))
            self._after = name

    def _send(self, name: str, value: object) -> None:
        new = came_back(name, value, self._given)
        new = KEEP if same(new, value) else new
        if name in self._pair.preset.tree.children:  # as null: `_lost` has seen that it says nothing
            self._learner(Remove((name,), f"{self._pair.server_path.name} has its value"))
        why = why_back(name, self._given)
        self._server(Move((name,), (name,), why, new, self._after, into=self._pair.path))
        self._after = name

    def _lost(self, name: str, value: object, wanted: dict[str, object]) -> str | None:
        # Why a setting does not come back, if it does not.
        ours, role = self._pair.preset.value(name), role_of(name)
        reasons = {
            "in colocate mode nothing listens": role is Role.LISTEN,
            f"{self._pair.path.name} sets it already": ours is not None,
            "only a server accepts it": role not in (Role.SERVER, Role.BOTH),
            "in colocate mode every engine has its own learners": name == DATA,
            "it is the default": is_default(name, value) and name not in wanted and not self._is_explained(name),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _is_explained(self, name: str) -> bool:
        return bool(text.comments_of(self._pair.server, (name,)))


def _rank(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)
