"""Which edits turn a flat colocate preset into a pair: x.yaml in server mode, and x.rollout.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.direction import DATA
from migrate.direction import LENGTH
from migrate.direction import LORA
from migrate.direction import SHARE
from migrate.direction import TENSOR
from migrate.direction import UNSET
from migrate.edits import KEEP
from migrate.edits import Add
from migrate.edits import Change
from migrate.edits import Remove
from migrate.native.batch import rescaled
from migrate.native.edits import copied
from migrate.native.edits import sent
from migrate.native.environment import divided
from migrate.target import DEFAULT_LENGTH
from migrate.to_server import COLOCATE_ONLY
from migrate.to_server import COMPLETE
from migrate.to_server import DROPPED
from migrate.to_server import MERGED
from migrate.to_server import NEVER_READ
from migrate.to_server import ORDER
from migrate.to_server import REQUIRED
from migrate.to_server import SPLIT
from migrate.to_server import ToServer
from schema.roles import Role
from schema.roles import fields
from schema.roles import role_of
from schema.rules.native import FOLLOWS
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from migrate.edits import Edit
    from migrate.native.environment import Halves
    from migrate.native.pair import Pair


def edits(pair: Pair) -> Halves:
    """The edits of the learner's file, and of the server's.

    Raises:
        InputError: the split does not fit, or a key cannot be moved.
    """
    made = _Edits(pair)
    made.mode()
    made.address()
    made.shared()
    made.listen()
    made.engine()
    made.colocate()
    if pair.leaves:
        made.learner += rescaled(pair, pair.together, pair.train)
    learner, server = divided(pair) if pair.leaves or pair.preset.server is None else ([], [])
    return made.learner + learner, made.server + server


class _Edits:
    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.learner: list[Edit] = []
        self.server: list[Edit] = []

    def mode(self) -> None:
        said = self._pair.preset.tree.leaf("vllm_mode")
        if said is None:
            self.learner.append(Add(("vllm_mode",), "server", UNSET, "use_vllm"))
        elif said.value != "server":
            self.learner.append(Change(("vllm_mode",), "server", ToServer.why))

    def address(self) -> None:
        # Plain values: ms-swift's YAML reader crashes on numbers in lists (4.5.2, cli/main.py:63).
        wanted, preset, after = self._pair.target.address, self._pair.preset, "vllm_mode"
        if preset.tree.find("vllm_server_host") is not None:
            del wanted["timeout"]  # it has had an address, and ms-swift's own patience was enough
        for name, value in wanted.items():
            key = f"vllm_server_{name}"
            if preset.tree.find(key) is None:
                self.learner.append(Add((key,), value, "the learner connects there", after))
            after = key

    def listen(self) -> None:
        for name in ("host", "port"):
            if self._pair.said_by_server(name) is None:
                said = self._pair.preset.value(f"vllm_server_{name}")
                value = said[0] if isinstance(said, list) and said else self._pair.target.address[name]
                self._copy(name, value, "the server listens where the learner connects")

    def shared(self) -> None:
        fresh = self._pair.leaves or self._pair.preset.server is None
        for name in fields(Role.BOTH):
            value = self._pair.preset.value(name)
            missing = value is not None and self._pair.said_by_server(name) is None
            if missing and (fresh or name not in FOLLOWS):
                self._copy(name, value, f"both sides act on it; as in {self._pair.path.name}")

    def engine(self) -> None:
        for name in ORDER:
            setting = self._pair.preset.arguments.get(name)
            there = self._pair.said_by_server(name)
            if setting is None:
                self._complete(name, there)
            elif name in DROPPED:
                self.learner.append(Remove((name,), DROPPED[name]))
            elif there is not None:
                self.learner.append(Remove((name,), f"{self._pair.server_path.name} says it already"))
            else:
                self._send(name, setting.value)

    def colocate(self) -> None:
        for setting in self._pair.preset.arguments.values():
            if role_of(setting.name) is Role.COLOCATE:
                self.learner.append(Remove((setting.name,), COLOCATE_ONLY))

    def _copy(self, name: str, value: object, reason: str) -> None:
        self.server.append(copied((name,), value, reason))

    def _complete(self, name: str, there: object) -> None:
        needed = COMPLETE if self._pair.leaves else REQUIRED
        if there is None and name in needed:
            self._copy(name, self._split_value(name), self._reason(name))
        elif name == LENGTH and self._pair.too_short(there):
            self.server.append(Change((name,), self._split_value(name), self._reason(name)))

    def _send(self, name: str, old: object) -> None:
        new = self._new_value(name, old)
        reason = NEVER_READ if new is KEEP else f"{NEVER_READ}; {self._reason(name)}"
        depart, arrive = sent(self._pair.learner, (name,), reason, new)
        self.learner.append(depart)
        self.server.append(arrive)

    def _new_value(self, name: str, old: object) -> object:
        if name == LENGTH:
            keeps = self._pair.target.max_model_len is None and not self._pair.too_short(old)
        else:
            keeps = name != LORA and not (self._pair.leaves and name in COMPLETE)
        new = old if keeps else self._split_value(name)
        return KEEP if same(new, old) else new

    def _split_value(self, name: str) -> object:
        target = self._pair.target
        if name == TENSOR:
            return target.tensor
        if name == DATA:
            return target.data_parallel(self._pair.preset.project, self._pair.tensor)
        if name == LENGTH:
            return target.length(self._pair.needed)
        return target.share if name == SHARE else False

    def _reason(self, name: str) -> str:
        if name == LENGTH and self._pair.too_short(DEFAULT_LENGTH):
            return f"prompt and completion may have {self._pair.needed} tokens"
        return MERGED if name == LORA else SPLIT
