"""What rules, migrations and launches look at: a preset, its models, the split and the target release."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from schema.near import Near
from schema.place import Place
from schema.resolve.tree import Branch
from schema.swift.argument import is_plain
from schema.swift.values import Values
from schema.yamltext.yaml12 import differing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from schema.catalogue import Release
    from schema.checkpoint import Config
    from schema.checkpoint import Configs
    from schema.layouts.preset import Preset
    from schema.layouts.preset import Setting
    from schema.models.parse import Parsed
    from schema.models.server import RolloutServerConfig
    from schema.models.trainer import TrainerConfig
    from schema.resolve import Workspace
    from schema.split.gpus import Split
    from schema.yamltext.yaml12 import Difference


@dataclass(frozen=True, eq=False)
class Context:
    """All that a rule may look at.

    Attributes:
        preset: the resolved preset.
        split: GPUs on both sides, as far as known.
        release: the target ms-swift release.
        trainer: the learner's settings.
        server: the rollout server's settings, or None if the preset has no block for them.
        workspace: the files that took part.
        configs: reads the config.json of a checkpoint.
        near: finds the name that was probably meant.
    """

    preset: Preset
    split: Split
    release: Release
    trainer: Parsed[TrainerConfig]
    server: Parsed[RolloutServerConfig] | None
    workspace: Workspace
    configs: Configs
    near: Near = field(default_factory=Near)

    @cached_property
    def values(self) -> Values:
        """The learner's arguments as ms-swift's parser reads them."""
        return Values(self)

    @property
    def checkpoint(self) -> Config | None:
        """config.json of the learner's model, or None if it is not here."""
        return self.configs(self.preset.value("model"))

    @property
    def served_checkpoint(self) -> Config | None:
        """The same of the model that generates: the server may have one of its own."""
        return self.configs(self.preset.engine("model"))

    @cached_property
    def misread(self) -> Mapping[Place, Sequence[Difference]]:
        """What ms-swift's YAML 1.1 reads otherwise than YAML 1.2, by the place of the whole value."""
        misread: dict[Place, list[Difference]] = {}
        for file in self.preset.resolved.files:
            for found in differing(self.workspace.document(file)):
                place = Place(file, *found.whole.span[2:])
                misread.setdefault(place, []).append(found)
        return misread

    @property
    def swift(self) -> str:
        """The target as messages name it."""
        return f"ms-swift {self.release.version}"

    def older(self, version: str) -> bool:
        """Whether the target ms-swift is older than a release."""
        return not self.release.since(version)

    @property
    def late(self) -> str:
        """When the learner's arguments raise, for messages: in server mode the server was loaded by then."""
        return ", after the server was loaded" if self.preset.mode == "server" else ""

    @cached_property
    def wrong(self) -> AbstractSet[str]:
        """Fields that are missing or have no right value, so that nothing can be concluded from them."""
        sides = [side for side in (self.trainer, self.server) if side is not None]
        unmodelled = {name for name in self.mistakes if not any(name in side.model.fields for side in sides)}
        modelled = {name for side in sides for name in side.errors if side.wrong(name)}
        return {*self.preset.unknown, *modelled, *unmodelled}

    @cached_property
    def unknown(self) -> Sequence[Setting]:
        """What ms-swift gets for the learner, and the release's learner does not have."""
        return [setting for setting in self.preset.passed if setting.name not in self.release.trainer]

    @cached_property
    def mistakes(self) -> Mapping[str, str]:
        """What is wrong with arguments of the learner that its model does not have, by name."""
        known, modelled, mistake = self.release.trainer, self.trainer.model.fields, self.preset.mistake
        others = [each for name, each in self.preset.arguments.items() if name in known and name not in modelled]
        unsure = [each for each in others if not is_plain(known[each.name], each.value)]
        found = [(each.name, mistake(known[each.name], each.value)) for each in unsure]
        return {name: wrong for name, wrong in found if wrong is not None}

    def at(self, field: str) -> Place:
        """Where an ms-swift argument is set, or unset by null; the start of the leaf if neither."""
        setting = self.preset.arguments.get(field)
        return setting.place if setting else self.preset.null(field) or self.preset.start

    def at_server(self, field: str) -> Place:
        """Where a field of the server's block is set, or the block if it is not."""
        block = self.preset.block
        if not isinstance(block, Branch):
            return self.preset.start
        found = block.find(field)
        return found.place if found else block.key

    def at_engine(self, field: str) -> Place:
        """Where an engine's setting is, or belongs: the server's in server mode, else the learner's own."""
        return self.at_server(field) if self.preset.mode == "server" else self.at(field)
