"""Which edits turn a flat colocate preset into a pair, x.yaml and x.rollout.yaml, or back into one file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from migrate.batch import rescaled
from migrate.directions import ToColocate
from migrate.directions import ToServer
from migrate.flat.environment import divided
from migrate.flat.environment import joined
from migrate.flat.pair import Pair
from schema.swift.roles import FOLLOWS
from schema.swift.roles import Role
from schema.swift.roles import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate.directions import Direction
    from schema.yamltext.edit import Edit


class PairToServer(ToServer[Pair]):
    """To server mode: the server gets its own file, which repeats what both sides act on."""

    def edits(self) -> list[Edit]:
        """The edits of both files, in order; raises what `divided` and `rescaled` raise."""
        pair, address = self.aim, self.aim.target.said_address
        edits = [*self.set_mode(), *self.address(self._wanted()), *self._shared(), *self._listens()]
        edits += self.engine()
        edits += self.longer(edits)
        listen = {name: value for name, value in address.items() if name != "timeout"}
        edits += self.set_given(pair.server, pair.given_to_server | listen, edits)
        edits += self.set_given(pair.learner, self.connected(address), edits)
        return [*edits, *self.gone(), *rescaled(pair), *divided(pair)]

    def _wanted(self) -> dict[str, object]:
        wanted = dict(self.aim.address)
        connects = self.aim.names_url or self.aim.learner.value("vllm_server_host") is not None
        if connects and self.aim.target.timeout is None:
            del wanted["timeout"]  # it has had an address, and ms-swift's own patience was enough
        return wanted

    def _shared(self) -> Iterator[Edit]:
        pair = self.aim
        fresh = pair.changes_mode or pair.preset.server is None
        for name in fields(Role.BOTH):
            value = pair.preset.value(name)
            missing = value is not None and pair.server.value(name) is None
            if missing and (fresh or name not in FOLLOWS):
                yield pair.server.add(name, value, f"both sides act on it; as in {pair.path.name}")

    def _listens(self) -> Iterator[Edit]:
        for name in ("host", "port"):
            if self.aim.server.value(name) is None:
                said = None if self.aim.names_url else self.aim.preset.value(f"vllm_server_{name}")
                address = self.aim.target.said_address.get(name) or said
                value = address[0] if isinstance(address, list) and address else address or self.aim.address[name]
                yield self.aim.server.add(name, value, "the server listens where the learner connects")

    @cached_property
    def completed(self) -> tuple[str, ...]:
        """What the server gets where nothing says it; one that is there has ms-swift's defaults."""
        return super().completed if self.aim.changes_mode or self.aim.preset.server is None else ()


class PairToColocate(ToColocate[Pair]):
    """Back to colocate mode: nothing of use stays in the server's file."""

    def edits(self) -> list[Edit]:
        """The edits of both files, in order; raises what `joined` and `rescaled` raise."""
        pair = self.aim
        edits = [*self.set_mode(), *self.address()]
        edits += self.engine() if pair.changes_mode else self.set_given(pair.learner, pair.given_to_engine, [])
        return [*edits, *rescaled(pair), *joined(pair)]


#: The ways of a migration, by the mode that it aims at.
DIRECTIONS: dict[str, type[Direction[Pair]]] = {"server": PairToServer, "colocate": PairToColocate}
