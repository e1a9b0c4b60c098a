"""Which edits turn a flat colocate preset into a pair: x.yaml in server mode, and x.rollout.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.batch import rescaled
from migrate.flat.environment import divided
from migrate.names import GIVEN
from migrate.names import LENGTH
from migrate.names import RANK
from migrate.nested.direction import UNSET
from migrate.nested.to_server import COLOCATE_ONLY
from migrate.nested.to_server import COMPLETE
from migrate.nested.to_server import DROPPED
from migrate.nested.to_server import NEVER_READ
from migrate.nested.to_server import ORDER
from migrate.nested.to_server import REQUIRED
from migrate.nested.to_server import ToServer
from migrate.yamledit.edits import KEEP
from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Change
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Remove
from migrate.yamledit.edits import at
from schema.split import decide
from schema.swift.adapters import DEFAULT_RANK
from schema.swift.roles import FOLLOWS
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path

    from migrate.flat.pair import Pair
    from migrate.yamledit.edits import Edit
    from schema.resolve import Branch


def edits(pair: Pair) -> list[Edit]:
    """The edits of both files, in the order in which they are made.

    Raises:
        InputError: the split does not fit, or a key cannot be moved.
    """
    made = _Edits(pair)
    made.mode()
    made.address()
    made.shared()
    made.listen()
    made.engine()
    made.given()
    made.colocate()
    batch = at(pair.path, rescaled(pair, pair.preset.tree, pair.preset))
    return [*made.edits, *batch, *divided(pair)]


class _Edits:
    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.edits: list[Edit] = []

    def _learner(self, *edits: Edit) -> None:
        self.edits += at(self._pair.path, edits)

    def _server(self, *edits: Edit) -> None:
        self.edits += at(self._pair.server_path, edits)

    def mode(self) -> None:
        leaf = self._pair.preset.tree.leaf("vllm_mode")
        if leaf is None:
            self._learner(Add(("vllm_mode",), "server", UNSET, "use_vllm"))
        elif leaf.value != "server":
            self._learner(Change(("vllm_mode",), "server", ToServer.why))

    def address(self) -> None:
        # Plain values: ms-swift's YAML reader crashes on numbers in lists (4.5.2, cli/main.py:63).
        wanted, preset, after = self._pair.target.address, self._pair.preset, "vllm_mode"
        if preset.tree.find("vllm_server_host") is not None and self._pair.target.timeout is None:
            del wanted["timeout"]  # it has had an address, and ms-swift's own patience was enough
        for name, value in wanted.items():
            key = f"vllm_server_{name}"
            if preset.tree.find(key) is None:
                self._learner(Add((key,), value, "the learner connects there", after))
            after = key

    def listen(self) -> None:
        for name in ("host", "port"):
            if self._pair.server_value(name) is None:
                given = getattr(self._pair.target, name) or self._pair.preset.value(f"vllm_server_{name}")
                value = given[0] if isinstance(given, list) and given else given or self._pair.target.address[name]
                self._server(Add((name,), value, "the server listens where the learner connects"))

    def shared(self) -> None:
        fresh = self._pair.changes_mode or self._pair.preset.server is None
        for name in fields(Role.BOTH):
            value = self._pair.preset.value(name)
            missing = value is not None and self._pair.server_value(name) is None
            if missing and (fresh or name not in FOLLOWS):
                self._server(Add((name,), value, f"both sides act on it; as in {self._pair.path.name}"))

    def engine(self) -> None:
        for name in ORDER:
            setting = self._pair.preset.arguments.get(name)
            there = self._pair.server_value(name)
            if setting is None:
                self._complete(name, there)
            elif name in DROPPED and not (name == RANK and self._pair.keeps_adapters):
                self._learner(Remove((name,), DROPPED[name]))
            elif there is not None:
                self._learner(Remove((name,), f"{self._pair.server_path.name} sets it already"))
            else:
                self._send(name, setting.value)

    def given(self) -> None:
        """What the caller gives wins over what either file says."""
        target, preset = self._pair.target, self._pair.preset
        values = {**self._pair.given_to_server(), "host": target.host, "port": target.port}
        self._server(*_set(preset.block, values, self._written(self._pair.server_path)))
        connection = target.connection(as_list=False)
        self._learner(*_set(preset.tree, connection, self._written(self._pair.path)))

    def colocate(self) -> None:
        for setting in self._pair.preset.arguments.values():
            if role_of(setting.name) is Role.COLOCATE:
                self._learner(Remove((setting.name,), COLOCATE_ONLY))

    def _written(self, file: Path) -> set[str]:
        return {edit.path[0] for edit in self.edits if edit.file == file and isinstance(edit, Add | Change)}

    def _complete(self, name: str, there: object) -> None:
        if there is None and name in self._needed():
            self._server(Add((name,), *self._decided(name, None)))
        elif name == LENGTH and self._pair.needs.fills(there):
            self._server(Change((name,), *self._decided(name, None)))

    def _needed(self) -> tuple[str, ...]:
        if self._pair.changes_mode:
            raises = self._pair.keeps_adapters and self._decided(RANK, None).value != DEFAULT_RANK
            return (*COMPLETE, RANK) if raises else COMPLETE
        return REQUIRED if self._pair.preset.server is None else ()

    def _decided(self, name: str, had: object) -> decide.Decision:
        return self._pair.served(name, had, refit=self._pair.changes_mode)

    def _send(self, name: str, old: object) -> None:
        new, reason = self._decided(name, old)
        kept = same(new, old)
        why = NEVER_READ if kept else f"{NEVER_READ}; {reason}"
        self._learner(Move((name,), (name,), why, KEEP if kept else new, into=self._pair.server_path))


def _set(half: Branch | None, values: Mapping[str, object], written: Collection[str]) -> Iterator[Edit]:
    # Where no other edit writes it already.
    for name, value in values.items():
        there = half.value(name) if half else None
        wanted = _as_there(there, value)
        if value is not None and name not in written and not (same(there, wanted) or same(there, [value])):
            yield Add((name,), wanted, GIVEN.get(name, decide.CALLER))


def _as_there(there: object, value: object) -> object:
    # A list of one stays one, with its comments; as text, since ms-swift crashes on a number in a list
    # (4.5.2, cli/main.py:63).
    return [str(value)] if isinstance(there, list) and len(there) == 1 else value
