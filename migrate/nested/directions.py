"""Which edits turn one file of a preset into its share of a preset in the other mode."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.batch import rescaled
from migrate.directions import ADDRESS
from migrate.directions import ToColocate
from migrate.directions import ToServer
from migrate.directions import needs_server
from migrate.directions import unread
from migrate.names import DATA
from migrate.names import DROPPED
from migrate.names import FITTED
from migrate.names import LENGTH
from migrate.names import LORA
from migrate.names import ORDER
from migrate.names import TENSOR
from migrate.nested.part import Part
from migrate.target import Bases
from migrate.yamledit.scalars import shown
from schema.layouts.nested import SERVER_BLOCK
from schema.layouts.preset import Setting
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split import decide
from schema.swift.roles import ROLES
from schema.swift.roles import Misplaced
from schema.swift.roles import Role
from schema.swift.roles import role_of
from schema.yamltext.edit import Add
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune
from schema.yamltext.edit import Remove
from schema.yamltext.yaml12 import same

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from schema.layouts.preset import Preset
    from schema.resolve import Tree
    from schema.yamltext.edit import Edit

_HIDDEN = "the base's value counts again"


class PartToServer(ToServer[Part]):
    """To server mode; bases are migrated already, or stay and are masked."""

    @staticmethod
    def left(before: Preset, after: Preset, below: Preset) -> list[Setting]:  # noqa: ARG004 - the way back asks
        """What a learner in server mode never reads, and another mode."""
        return [
            setting
            for setting in after.arguments.values()
            if unread(setting) or (setting.name == "vllm_mode" and setting.value != "server")
        ]

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        part, target = self.aim, self.aim.target
        block = list(self.engine())
        block += self._kept(block)
        block += self.longer(block)
        block += self._balanced(block)
        edits = [*self.set_mode(), *self.address(part.address), *block]
        edits += self.set_given(part.server, part.given_to_server, edits)
        edits += self.set_given(part.learner, self.connected(target.said_address), edits)
        edits += [*rescaled(part), *self.gone()]
        return [*edits, *(part.mask(setting, why) for setting in part.inherited() if (why := unread(setting)))]

    def copied(self, name: str) -> list[Edit]:
        """What a masked base says to the engine, and the split does not."""
        is_known = name in DROPPED or self.aim.server.value(name) is not None
        if is_known or (name in FITTED and self.aim.changes_mode):
            return []
        wins = self.aim.after.arguments.get(name)
        return [self._copied(setting) for setting in self.aim.inherited() if setting == wins]

    def _copied(self, setting: Setting) -> Edit:
        new, reason = self.aim.served(setting.name, setting.value)
        why = f"as in {setting.key.file.name}" if same(new, setting.value) else reason
        return self.aim.server.add(setting.name, new, why)

    def _kept(self, block: Sequence[Edit]) -> Iterator[Edit]:
        # What the engine had, where the blocks of migrated bases would merge to something else.
        for name in ORDER:
            had, gets = self.aim.preset.value(name), self.aim.server.value(name)
            if gets is not None and not same(gets, had) and not self._is_decided(name, had, gets, block):
                yield self._keeps(name, had, gets)

    def _keeps(self, name: str, had: object, gets: object) -> Edit:
        home = self.aim.server
        if had is not None or name == TENSOR:
            return home.add(
                name, self.aim.served(name, had).value, f"as before; bases would make it {shown(gets)}"
            )
        hidden = next((path for path in self.aim.nulls() if path[-1] == name), None)
        if hidden is not None:
            return Move(hidden, home.path(name), f"hides {shown(gets)} of a base, as before", file=home.file)
        return home.add(name, None, f"it was unset; without this null it would be {shown(gets)}")

    def _is_decided(self, name: str, had: object, gets: object, block: Sequence[Edit]) -> bool:
        # Whether the split decides on a setting, this file does, or a block that was there before.
        if name in (*FITTED, LORA, *DROPPED) or (name == LENGTH and (had is None or self.aim.needs.fills(had))):
            return True
        if name == TENSOR and (not self.aim.knows_mode or same(gets, self.aim.tensor)):
            return True
        return self.aim.server.is_written(block, name) or self.aim.preset.server_value(name) is not None

    def _balanced(self, block: Sequence[Edit]) -> Iterator[Edit]:
        # A child's own TP leaves another DP than its parent's for the same GPUs.
        part, home = self.aim, self.aim.server
        follows = part.changes_mode and not part.leads and (home.says(TENSOR) or home.is_written(block, TENSOR))
        if not follows or home.says(DATA):
            return
        data = decide.data_parallel(part.rollout, part.tensor)
        if not same(data, home.value(DATA)):
            yield home.add(DATA, data, f"{decide.SPLIT}, with {TENSOR} {part.tensor}")


class PartToColocate(ToColocate[Part]):
    """Back to colocate mode; bases are migrated already, or stay and are masked."""

    @staticmethod
    def left(before: Preset, after: Preset, below: Preset) -> list[Setting]:
        """Another mode, what would connect to a server or needs one; the server's block if it was in use."""
        found = [
            setting
            for setting in after.arguments.values()
            if (setting.name == "vllm_mode" and setting.value != "colocate")
            or (needs_server(setting) and ROLES[setting.name].misplaced is Misplaced.CONNECTS)
            or (needs_server(setting) and setting.name not in ADDRESS)
        ]
        used = before.explicit_mode != "colocate" and below.explicit_mode != "colocate"
        section = ".".join(SERVER_BLOCK)
        entries = [
            (name, tree) for name, tree in _entries(after.block if used else None) if data(tree) is not None
        ]
        return [*found, *(Setting(section, name, data(tree), tree.place, tree.key) for name, tree in entries)]

    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        engine = list(self.engine())
        unmasked = [Remove(path, _HIDDEN, file=self.aim.path) for path in self.masks]
        block = [*unmasked, *engine, *self._emptied(engine), *self._masked()]
        edits = [*self.set_mode(), *self.address(), *self._hidden(), *block]
        for name, value in self.aim.given_to_engine.items():
            edits += self.set_given(self.aim.home_of(name), {name: value}, edits)
        return [*edits, *rescaled(self.aim)]

    def _hidden(self) -> Iterator[Edit]:
        for setting in self.aim.inherited():
            if why := needs_server(setting):
                yield self.aim.mask(setting, why)

    @cached_property
    def masks(self) -> dict[tuple[str, ...], object]:
        """Nulls that keep a base's settings from a learner in server mode, by path, and what the base says."""
        nulls = self.aim.nulls() if self.aim.changes_mode else ()
        hidden = {path: self.aim.below.tree.value(*path) for path in nulls if self._moved_away(path[-1])}
        return {path: value for path, value in hidden.items() if value is not None}

    def _moved_away(self, name: str) -> bool:
        role, served = role_of(name), self.aim.preset.server_value(name)
        return role is Role.COLOCATE or (role is Role.SERVER and (served is not None or name in DROPPED))

    @cached_property
    def inherited(self) -> dict[str, object]:
        """Entries of a block that stays in a base, and is masked."""
        if self._base_of_block is None:
            return {}
        entries = _entries(self.aim.after.block)
        return {name: data(tree) for name, tree in entries if tree.key.file != self.aim.path}

    def stays(self, name: str, value: object) -> dict[str, bool]:
        """What a base decides, or a file further down in the family."""
        hidden = [base for (*_, masked), base in self.masks.items() if masked == name][-1:]  # a later section wins
        return {
            _HIDDEN: any(name in (*FITTED, LORA) or same(base, value) for base in hidden),
            decide.CALLER: name in self.aim.given_to_engine and not self.aim.leads,
            "--to server adds it from global_max_length": self._is_added_length(name, value),
        }

    def _is_added_length(self, name: str, value: object) -> bool:
        part = self.aim
        if name != LENGTH or part.preset.limit is None or not part.changes_mode:
            return False
        inherited = part.was_below.tree.value(*SERVER_BLOCK, LENGTH)
        adds = inherited is None or part.needs.fills(inherited)
        return adds and same(value, decide.length(None, None, part.needs).value) and self.speaks_alone(name)

    def _emptied(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        if self.aim.own.find(*SERVER_BLOCK) is None or not (self.aim.changes_mode or self.aim.server.entries):
            return
        path: tuple[str, ...] = SERVER_BLOCK
        while len(path) > 1 and self._base_of_block is None and self._holds_nothing_else(path[:-1]):
            path = path[:-1]
        if path == ("custom",) and not self._spares_custom(edits):
            path = SERVER_BLOCK[:2]
        yield Prune(path, "nothing is left in it", file=self.aim.path)

    def _holds_nothing_else(self, path: tuple[str, ...]) -> bool:
        # Not even a comment.
        branch = self.aim.own.find(*path)
        alone = isinstance(branch, Branch) and len(branch.children) == 1
        return alone and len(self._comments(path)) == len(self._comments(SERVER_BLOCK))

    def _comments(self, path: tuple[str, ...]) -> list[str]:
        return replace(self.aim.server, section=path[:-1]).comments(path[-1])

    def _masked(self) -> Iterator[Edit]:
        hides = replace(self.aim.server, section=SERVER_BLOCK[:-1]).is_blank(SERVER_BLOCK[-1])
        if (base := self._base_of_block) is not None and not hides:
            reason = f"hides the block of {base}: no server is started"
            yield Add(SERVER_BLOCK, None, reason, file=self.aim.path)

    @cached_property
    def _base_of_block(self) -> str | None:
        # The base whose block would count again, if it stays as it is.
        block, mode = self.aim.below.block, self.aim.below.explicit_mode
        stays = self.aim.changes_mode and self.aim.target.bases is Bases.MASK and mode != "colocate"
        return block.key.file.name if stays and block is not None and data(block) is not None else None

    def _spares_custom(self, edits: Iterable[Edit]) -> bool:
        # Training repositories want the section, empty or not; a file wants at least one key.
        others = len(self.aim.own.children) > 1 or any(isinstance(edit, Move) for edit in edits)
        return others and self.aim.below.tree.find("custom") is not None


def _entries(block: Tree | None) -> list[tuple[str, Tree]]:
    children = block.children if isinstance(block, Branch) else {}
    return [(name, tree) for name, tree in children.items() if isinstance(name, str)]


#: The ways of a migration, by the mode that it aims at.
DIRECTIONS: dict[str, type[PartToServer | PartToColocate]] = {"server": PartToServer, "colocate": PartToColocate}
