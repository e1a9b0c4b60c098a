"""One pair of a call: what both files say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.aim import Aim
from schema.layouts.flat import Flat
from schema.layouts.flat import server_half
from schema.yamltext import parse

if TYPE_CHECKING:
    from pathlib import Path

    from schema.yamltext import Document


@dataclass(frozen=True)
class Pair(Aim):
    """One pair of a call: the learner's file, and the server's, which need not be there."""

    @property
    def preset(self) -> Flat:
        """The pair as it is now."""
        preset = super().preset
        if not isinstance(preset, Flat):
            raise TypeError(f"{preset.layout} is not the flat layout")
        return preset

    @property
    def server_path(self) -> Path:
        """The server's file, which need not be there."""
        return server_half(self.path)

    @cached_property
    def learner(self) -> Document:
        """The learner's file."""
        return self.context.workspace.document(self.path)

    @cached_property
    def server(self) -> Document:
        """The server's file; an empty one if it is not there."""
        if self.preset.server is None:
            return parse(self.server_path, b"")
        return self.context.workspace.document(self.server_path)
