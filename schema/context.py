"""What rules, migrations and launches look at: a preset, its models, the split and the target release."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from schema.near import Near
from schema.resolve.tree import Branch
from schema.swift.values import Values

if TYPE_CHECKING:
    from schema.catalogue import Release
    from schema.layouts.preset import Preset
    from schema.models.parse import Parsed
    from schema.models.server import RolloutServerConfig
    from schema.models.trainer import TrainerConfig
    from schema.place import Place
    from schema.resolve import Workspace
    from schema.split.gpus import Split


@dataclass(frozen=True)
class Context:
    """All that a rule may look at.

    Attributes:
        preset: the resolved preset.
        split: GPUs on both sides, as far as known.
        release: the target ms-swift release.
        trainer: the learner's settings.
        server: the rollout server's settings, or None if the preset has no block for them.
        workspace: the files that took part.
        near: finds the name that was probably meant.
    """

    preset: Preset
    split: Split
    release: Release
    trainer: Parsed[TrainerConfig]
    server: Parsed[RolloutServerConfig] | None
    workspace: Workspace
    near: Near = field(default_factory=Near)

    @cached_property
    def values(self) -> Values:
        """The learner's arguments as ms-swift's parser reads them."""
        return Values(self.preset, self.trainer.config, self.release)

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

    def wrong(self, field: str) -> bool:
        """Whether a field is missing or has no right value, so that nothing can be concluded from it."""
        return self.trainer.wrong(field) or (self.server is not None and self.server.wrong(field))

    def at(self, field: str) -> Place:
        """Where an ms-swift argument is set, or the start of the leaf if it is not."""
        setting = self.preset.arguments.get(field)
        return setting.place if setting else self.preset.start

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
